// The loudspeaker: plays replies in order and tells how far each has been played. Runs in the audio
// thread, whose own count of samples is the truth about what was heard.
//
// In: {reply, pcm} audio, {finish} a reply is all there, {clear} drop what is not played.
// Out: {reply, samples, total, levels, finished}, every 100 ms and at the end of each reply.

const REPORT_S = 0.1;
const START_S = 0.06; // browsers stall up to 60 ms: so much is gathered before a reply sounds
const LEVEL_S = 0.02;

class Player extends AudioWorkletProcessor {
  constructor() {
    super();
    this.queue = []; // {reply, samples, from} or {finish}
    this.waiting = 0; // samples queued
    this.gathering = true;
    this.reply = null; // the one that sounds
    this.samples = 0; // of that reply, played
    this.total = 0; // of all replies, played
    this.reported = 0;
    this.levels = [];
    this.square = 0;
    this.squared = 0;
    this.last = 0;
    this.cleared = -1;
    this.port.onmessage = ({ data }) => this.take(data);
  }

  take({ reply, pcm, finish, clear }) {
    if (clear !== undefined) this.clear(clear);
    else if (finish !== undefined) {
      if (finish > this.cleared) this.queue.push({ finish });
    } else if (reply > this.cleared) {
      const samples = Float32Array.from(new Int16Array(pcm), (sample) => sample / 32768);
      this.queue.push({ reply, samples, from: 0 });
      this.waiting += samples.length;
    }
  }

  clear(reply) {
    this.cleared = Math.max(this.cleared, reply);
    this.queue = this.queue.filter((item) => (item.reply ?? item.finish) > this.cleared);
    this.waiting = this.queue.reduce(
      (sum, item) => sum + (item.samples ? item.samples.length - item.from : 0), 0);
    this.gathering = true;
    if (this.reply !== null && this.reply <= this.cleared) this.report(false);
  }

  process(_inputs, [[out]]) {
    if (this.gathering && (this.waiting >= START_S * sampleRate || this.hasEnd())) {
      this.gathering = false;
    }
    for (let i = 0; i < out.length; i++) out[i] = this.next();
    if (this.total - this.reported >= REPORT_S * sampleRate) this.report(false);
    return true;
  }

  hasEnd() {
    return this.queue.some((item) => item.finish !== undefined);
  }

  next() {
    while (!this.gathering && this.queue[0]?.finish !== undefined) this.end();
    const head = this.gathering ? undefined : this.queue[0];
    if (head === undefined) {
      this.gathering = true;
      return (this.last *= 0.9); // no click where a reply is cut
    }
    if (head.reply !== this.reply) {
      this.reply = head.reply;
      this.samples = 0;
    }
    this.last = head.samples[head.from++];
    if (head.from === head.samples.length) this.queue.shift();
    this.waiting--;
    this.samples++;
    this.total++;
    this.measure(this.last);
    return this.last;
  }

  end() {
    const { finish } = this.queue.shift();
    if (finish !== this.reply) {
      this.reply = finish;
      this.samples = 0;
    }
    this.report(true);
  }

  measure(sample) {
    this.square += sample * sample;
    if (++this.squared < LEVEL_S * sampleRate) return;
    this.levels.push(Math.sqrt(this.square / this.squared));
    this.square = this.squared = 0;
  }

  report(finished) {
    const { reply, samples, total, levels } = this;
    this.port.postMessage({ reply, samples, total, levels, finished });
    this.reported = this.total;
    this.levels = [];
  }
}

registerProcessor("player", Player);
