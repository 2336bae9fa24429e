// The microphone, as 20 ms of linear16 mono at 16 kHz at a time. Runs in the audio thread.
//
// Browsers deliver the rate of the device, so we resample: a windowed sinc, whose 16 zero crossings
// on either side delay the voice by 1 ms.

const RATE_HZ = 16000;
const FRAME = RATE_HZ / 50;
const CROSSINGS = 16;
const STEPS = 128; // table entries between two zero crossings

class Resampler {
  constructor(fromHz, toHz) {
    this.step = fromHz / toHz;
    this.scale = Math.min(1, toHz / fromHz); // how much narrower than the input the band becomes
    this.reach = Math.ceil(CROSSINGS / this.scale);
    this.kernel = Resampler.table();
    this.input = new Float32Array(0);
    this.position = this.reach; // of the next output sample, in `input`
  }

  static table() {
    const size = CROSSINGS * STEPS;
    return Float32Array.from({ length: size + 2 }, (_, i) => {
      const x = i / STEPS;
      const window = x < CROSSINGS ? 0.5 + 0.5 * Math.cos((Math.PI * x) / CROSSINGS) : 0;
      return window * (x === 0 ? 1 : Math.sin(Math.PI * x) / (Math.PI * x));
    });
  }

  feed(samples, take) {
    const input = new Float32Array(this.input.length + samples.length);
    input.set(this.input);
    input.set(samples, this.input.length);
    while (this.position + this.reach < input.length) {
      take(this.at(input, this.position));
      this.position += this.step;
    }
    const done = Math.floor(this.position) - this.reach;
    this.input = input.slice(Math.max(0, done));
    this.position -= Math.max(0, done);
  }

  at(input, position) {
    let sum = 0;
    for (let i = Math.ceil(position - this.reach); i <= position + this.reach; i++) {
      const x = Math.abs(i - position) * this.scale * STEPS;
      const below = Math.floor(x);
      if (below > CROSSINGS * STEPS) continue;
      const share = x - below;
      sum += (input[i] ?? 0) * (this.kernel[below] * (1 - share) + this.kernel[below + 1] * share);
    }
    return sum * this.scale;
  }
}

class Microphone extends AudioWorkletProcessor {
  constructor() {
    super();
    this.resampler = new Resampler(sampleRate, RATE_HZ);
    this.frame = new Int16Array(FRAME);
    this.filled = 0;
  }

  process([[channel]]) {
    if (channel) this.resampler.feed(channel, (sample) => this.keep(sample));
    return true;
  }

  keep(sample) {
    const bounded = Math.max(-1, Math.min(1, sample || 0)); // NaN becomes silence
    this.frame[this.filled++] = Math.round(bounded * 32767);
    if (this.filled < FRAME) return;
    this.port.postMessage(this.frame.buffer, [this.frame.buffer]);
    this.frame = new Int16Array(FRAME);
    this.filled = 0;
  }
}

registerProcessor("microphone", Microphone);
