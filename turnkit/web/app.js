// The page: one button, and everything that happens behind it.

import { Call, Trouble } from "./call.js";
import { Conversation } from "./conversation.js";
import { Events } from "./events.js";
import { Lanes, loudness } from "./lanes.js";

const $ = (id) => document.getElementById(id);
const conversation = new Conversation($("conversation"));
const events = new Events($("events"), {
  latency: $("latency"), headstart: $("headstart"), drafts: $("drafts"),
});
const lanes = new Lanes($("lanes"));

const STATUS = { idle: "ready", calling: "connecting", live: "connected", over: "call ended" };
const LABEL = { idle: "Start talking", calling: "Connecting", live: "Stop", over: "Start talking" };
const CAPTION = {
  nobody: "Listening. Go ahead.",
  user: "You have the floor.",
  guess: "Done? The agent drafts, unheard.",
  thinking: "The agent is about to answer.",
  agent: "The agent speaks. Interrupt any time.",
};
const FLOOR = {
  StartOfTurn: "user", TurnResumed: "user", EagerEndOfTurn: "guess", EndOfTurn: "nobody",
  StartReply: "thinking", PlayoutStarted: "agent", PlayoutFinished: "nobody",
  ReplyDeclined: "nobody", ReplyFailed: "nobody",
};

let call = null;
let since = 0;

setInterval(() => {
  if (document.body.dataset.state !== "live") return;
  const seconds = Math.floor((Date.now() - since) / 1000);
  const clock = `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
  $("status").textContent = `${STATUS.live}, ${clock}`;
}, 1000);

$("talk").addEventListener("click", () => (call ? call.stop() : begin()));
window.addEventListener("pagehide", () => call?.stop());

async function begin() {
  trouble(null);
  become("calling");
  $("caption").textContent = "Allow the microphone if the browser asks.";
  call = new Call({ hello, note, level, playout, ended });
  try {
    await call.start();
  } catch (error) {
    ended(error instanceof Trouble ? error.message : `The call could not begin: ${error.message}`);
  }
}

function hello() {
  conversation.clear();
  events.clear();
  lanes.start();
  become("live");
  since = Date.now();
  floor("nobody");
}

function note(message) {
  conversation.note(message);
  events.note(message);
  lanes.note(message);
  const { name, fields } = message;
  if (name === "StartReply" && fields.purpose.fields.drafted) return; // nobody hears that yet
  if (name in FLOOR) floor(FLOOR[name]);
}

function level(rms) {
  const loud = loudness(rms);
  for (const part of [$("level"), $("halo")]) part.style.setProperty("--loud", loud.toFixed(3));
  $("level").ariaValueNow = loud.toFixed(1);
  lanes.level("user", rms);
}

function playout({ total, levels }) {
  document.body.dataset.played = total; // samples that came out of the loudspeaker
  levels.forEach((rms, index) => lanes.level("agent", rms, (levels.length - index) * 20));
}

function ended(message) {
  call = null;
  lanes.stop();
  level(0);
  trouble(message);
  floor("nobody");
  become(message ? "idle" : "over");
  $("caption").textContent = message ? "" : "Press to talk again.";
}

function become(state) {
  document.body.dataset.state = state;
  $("status").textContent = STATUS[state];
  $("label").textContent = LABEL[state];
}

function floor(who) {
  document.body.dataset.floor = who;
  $("caption").textContent = CAPTION[who];
}

function trouble(message) {
  $("trouble").hidden = !message;
  $("trouble").textContent = message ?? "";
}
