// Deepgram's SDK for JavaScript. Prints each event it reports, as JSON.
//
// node deepgram_sdk.mjs BASE_URL AUDIO_FILE EAGER_THRESHOLD EOT_THRESHOLD

import { readFile } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";
import { DeepgramClient } from "@deepgram/sdk";

const [baseUrl, file, eager, eot] = process.argv.slice(2);
const audio = await readFile(file);
const http = baseUrl.replace("ws", "http");
const client = new DeepgramClient({
  apiKey: "any",
  environment: { base: http, production: baseUrl, agent: baseUrl, agentRest: http },
});
const connection = await client.listen.v2.connect({
  model: "flux-general-en",
  encoding: "linear16",
  sample_rate: 16000,
  eager_eot_threshold: Number(eager),
  eot_threshold: Number(eot),
});
connection.on("message", (message) => {
  const said = { event: message.event ?? message.type, text: message.transcript ?? "" };
  console.log(JSON.stringify(said));
});
connection.on("error", (error) => console.error(error));
const closed = new Promise((resolve) => connection.on("close", resolve));
connection.connect();
await connection.waitForOpen();
for (let start = 0; start < audio.length; start += 2560) {
  connection.sendMedia(audio.subarray(start, start + 2560));
  await sleep(80);
}
connection.sendCloseStream({ type: "CloseStream" });
await closed;
process.exit(0);
