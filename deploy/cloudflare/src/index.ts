// Flux on Workers AI for turnkit: takes a WebSocket of `/v2/listen`, checks who asks for what, and
// joins it to the model's own.

import { admit, mayConnect } from "./admission";
import { join } from "./bridge";
import { type Inputs, Invalid, readParameters, required } from "./parameters";

const MODEL = "@cf/deepgram/flux";
const PATHS = new Set(["/", "/v2/listen"]);
const SHOWN_CHARS = 200; // of the model's own words in an answer

/** What is used of the binding. Its own types change from month to month. */
interface Flux {
  run(model: string, inputs: Inputs, options: { websocket: true }): Promise<unknown>;
}

interface Env {
  AI: Flux;
  TURNKIT_SECRET?: string;
  ALLOWED_ORIGINS?: string;
}

export default {
  async fetch(request: Request, env: Env): Promise<Response> {
    const url = new URL(request.url);
    if (!PATHS.has(url.pathname)) {
      return refuse(404, "NOT_FOUND", `nothing is served at ${url.pathname}; try /v2/listen`);
    }
    if (request.headers.get("Upgrade")?.toLowerCase() !== "websocket") {
      return refuse(426, "UPGRADE_REQUIRED", "this is a WebSocket", { Upgrade: "websocket" });
    }
    if (!env.TURNKIT_SECRET) {
      return refuse(503, "NO_SECRET", "the Worker has no TURNKIT_SECRET: npm run secret");
    }
    const admission = await admit(request, env.TURNKIT_SECRET);
    if (admission === undefined) {
      return refuse(401, "INVALID_AUTH", "the secret is missing or wrong");
    }
    if (!mayConnect(request, env.ALLOWED_ORIGINS ?? "")) {
      return refuse(403, "INSUFFICIENT_PERMISSIONS", "the page's origin is not in ALLOWED_ORIGINS");
    }
    try {
      return await connect(env.AI, readParameters(url.searchParams), admission.subprotocol);
    } catch (error) {
      return error instanceof Invalid
        ? refuse(400, "INVALID_PARAMETER", error.message)
        : failed(error);
    }
  },
} satisfies ExportedHandler<Env>;

async function connect(ai: Flux, inputs: Inputs, subprotocol?: string): Promise<Response> {
  const headers = new Headers({ "x-turnkit-worker": "1" });
  let flux = await open(ai, inputs);
  if (flux === undefined) {
    // With thresholds the model has been seen to answer without a WebSocket.
    const least = required(inputs);
    const dropped = Object.keys(inputs).filter((name) => !(name in least));
    if (dropped.length > 0) {
      flux = await open(ai, least);
      headers.set("x-turnkit-reduced", dropped.join(" "));
    }
  }
  if (flux === undefined) {
    return refuse(502, "NO_WEBSOCKET", "Workers AI answered without a WebSocket");
  }
  const [outside, inside] = Object.values(new WebSocketPair()) as [WebSocket, WebSocket];
  inside.accept();
  flux.accept();
  join(inside, flux);
  if (subprotocol !== undefined) {
    headers.set("Sec-WebSocket-Protocol", subprotocol);
  }
  return new Response(null, { status: 101, webSocket: outside, headers });
}

async function open(ai: Flux, inputs: Inputs): Promise<WebSocket | undefined> {
  const answer = await ai.run(MODEL, inputs, { websocket: true });
  return (answer as { webSocket?: WebSocket | null } | null)?.webSocket ?? undefined;
}

/** Answer for a call of the model that failed; its numbers are Workers AI's own. */
function failed(error: unknown): Response {
  const said = String(error instanceof Error ? error.message : error).slice(0, SHOWN_CHARS);
  const number = /\b(3007|3008|3023|3036|3040|3041|5004|5007|5016|5018)\b/.exec(said)?.[0] ?? "";
  console.error("flux.failed", said);
  if (number === "3036" || number === "3040") {
    return refuse(429, "TOO_MANY_REQUESTS", said, { "Retry-After": "5" });
  }
  if (["3023", "3041", "5016", "5018"].includes(number)) {
    return refuse(403, "INSUFFICIENT_PERMISSIONS", said);
  }
  return number === "5004"
    ? refuse(400, "INVALID_PARAMETER", said)
    : refuse(502, "MODEL_FAILED", said);
}

function refuse(
  status: number,
  code: string,
  description: string,
  headers: Record<string, string> = {},
): Response {
  const shown = description.replace(/[^\x20-\x7e]/g, "?");
  return Response.json({ code, description }, { status, headers: { ...headers, "dg-error": shown } });
}
