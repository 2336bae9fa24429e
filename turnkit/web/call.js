// One call: microphone to socket, socket to loudspeaker. The protocol is described in docs/ws.md.

const MICROPHONE = { channelCount: 1, echoCancellation: true, noiseSuppression: true };
const OUTPUT_HZ = 24000;

/** What went wrong, in words for whoever sits before the page. */
export class Trouble extends Error {}

/**
 * A call. `on` is told what happens: hello(), note(note), level(rms), playout(report),
 * ended(message or null).
 */
export class Call {
  constructor(on) {
    this.on = on;
    this.over = false;
  }

  /** Ask for the microphone and call. Throws Trouble, unless stopped meanwhile. */
  async start() {
    try {
      // Made while the click still counts: later, some browsers would leave them suspended.
      this.listening = new AudioContext({ latencyHint: "interactive" });
      this.speaking = new AudioContext({ latencyHint: "interactive", sampleRate: OUTPUT_HZ });
      this.stream = await microphone();
      await Promise.all([
        this.listening.audioWorklet.addModule(new URL("microphone.js", import.meta.url)),
        this.speaking.audioWorklet.addModule(new URL("player.js", import.meta.url)),
        this.listening.resume(),
        this.speaking.resume(),
      ]);
      if (!this.over) await this.connect();
    } catch (error) {
      if (this.over) return;
      this.over = true;
      this.release();
      throw error;
    }
    if (this.over) this.release();
    else this.plug();
  }

  /** Hang up. */
  stop() {
    if (this.socket?.readyState === WebSocket.OPEN) this.send({ type: "bye" });
    this.finish(null);
  }

  connect() {
    const url = new URL("../ws", import.meta.url);
    url.protocol = url.protocol.replace("http", "ws");
    url.search = new URLSearchParams({
      input_rate: 16000, output_rate: this.speaking.sampleRate, playout: "reported",
    });
    this.socket = new WebSocket(url);
    this.socket.binaryType = "arraybuffer";
    return new Promise((resolve, reject) => {
      this.socket.onopen = () => {
        this.socket.onclose = (event) => this.finish(farewell(event));
        resolve();
      };
      this.socket.onclose = async () => reject(new Trouble(await whyRefused()));
      this.socket.onmessage = ({ data }) => this.receive(data);
    });
  }

  plug() {
    const ears = new AudioWorkletNode(this.listening, "microphone", { numberOfOutputs: 0 });
    ears.port.onmessage = ({ data }) => this.heard(data);
    this.listening.createMediaStreamSource(this.stream).connect(ears);
    this.mouth = new AudioWorkletNode(this.speaking, "player", { outputChannelCount: [1] });
    this.mouth.port.onmessage = ({ data }) => this.played(data);
    this.mouth.connect(this.speaking.destination);
    this.early?.forEach((message) => this.mouth.port.postMessage(message));
    const [track] = this.stream.getAudioTracks();
    track.onended = () => this.finish("The microphone was unplugged or switched off.");
  }

  heard(buffer) {
    if (this.over) return;
    if (this.socket.readyState === WebSocket.OPEN) this.socket.send(buffer);
    const samples = new Int16Array(buffer);
    const square = samples.reduce((sum, sample) => sum + sample * sample, 0);
    this.on.level(Math.sqrt(square / samples.length) / 32768);
  }

  receive(data) {
    if (typeof data !== "string") return this.play({ reply: this.reply, pcm: data });
    const message = JSON.parse(data);
    switch (message.type) {
      case "hello": return this.on.hello(message);
      case "audio": this.reply = message.reply; return undefined;
      case "finish": return this.play({ finish: message.reply });
      case "clear": return this.play({ clear: message.reply });
      case "note": return this.on.note(message);
      case "error": this.complaint = message.message; return undefined;
      default: return undefined; // newer servers may say more
    }
  }

  play(message) {
    if (this.mouth) this.mouth.port.postMessage(message);
    else (this.early ??= []).push(message);
  }

  played(report) {
    this.on.playout(report);
    // What the worklet has handed out is not heard yet: the device holds some of it back.
    const heldBack = this.speaking.outputLatency || this.speaking.baseLatency || 0;
    const playedS = report.samples / this.speaking.sampleRate;
    if (report.finished) setTimeout(() => this.tell(report.reply, playedS), heldBack * 1000);
    else this.tell(report.reply, Math.max(0, playedS - heldBack));
  }

  tell(reply, playedS) {
    if (this.over || this.socket.readyState !== WebSocket.OPEN) return;
    this.send({ type: "playout", reply, played_ms: playedS * 1000 });
  }

  send(message) {
    this.socket.send(JSON.stringify(message));
  }

  finish(message) {
    if (this.over) return;
    this.over = true;
    this.release();
    this.on.ended(this.complaint && message ? `${message} (${this.complaint})` : message);
  }

  release() {
    this.stream?.getTracks().forEach((track) => track.stop());
    for (const context of [this.listening, this.speaking]) {
      if (context && context.state !== "closed") context.close();
    }
    this.socket?.close();
  }
}

async function microphone() {
  if (!navigator.mediaDevices) {
    throw new Trouble("Browsers lend the microphone only to https pages and to localhost. " +
      "Open this page in one of these ways.");
  }
  try {
    return await navigator.mediaDevices.getUserMedia({ audio: MICROPHONE });
  } catch (error) {
    throw new Trouble(NO_MICROPHONE[error.name] ??
      `The microphone could not be opened (${error.name}).`);
  }
}

const NO_MICROPHONE = {
  NotAllowedError: "The microphone is not allowed for this page. Allow it in the address bar, " +
    "then press the button again.",
  NotFoundError: "No microphone was found. Plug one in, then press the button again.",
  NotReadableError: "Another program is using the microphone. Close it, then press the button " +
    "again.",
};

async function whyRefused() {
  try {
    const response = await fetch(new URL("../readyz", import.meta.url));
    if (response.status === 503) return `The server takes no call: ${(await response.json()).error}.`;
    return "The server is there but refused the call. Is this page's address in its origins?";
  } catch {
    return "The server does not answer. Is turnkit serve still running?";
  }
}

function farewell({ code, reason }) {
  switch (code) {
    case 1000: return null;
    case 1011: return `Something broke on the server: ${reason || "see its log"}.`;
    case 1012: return "The server is restarting. Try again in a moment.";
    case 1008: return `The server hung up: ${reason}.`;
    default: return "The connection to the server was lost.";
  }
}
