// The picture of who had the floor: three lanes over time, drawn on a canvas.

const LANES = ["user", "draft", "agent"];
const NAMES = { user: "you", draft: "drafts, unheard", agent: "the agent" };
const KEEP_MS = 120_000;
const AXIS = 22; // pixels below the lanes, for the seconds
const LABELS = 16; // pixels above them, for what turned the conversation

export class Lanes {
  constructor(canvas) {
    this.canvas = canvas;
    this.clear();
    new ResizeObserver(() => this.draw()).observe(canvas);
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.draw());
  }

  clear() {
    this.spans = []; // {lane, key, from, to or null, look}
    this.marks = []; // {at, lane, text, look}
    this.levels = { user: [], agent: [] }; // {at, level}
    this.ended = null; // the last turn's end, until a reply sounds
    this.beganAt = null;
    this.now = 0;
  }

  /** Begin to move: `now` counts from here. */
  start() {
    this.clear();
    this.beganAt = performance.now();
    const step = () => {
      if (this.beganAt === null) return;
      this.now = performance.now() - this.beganAt;
      this.forget();
      this.draw();
      requestAnimationFrame(step);
    };
    step();
  }

  /** Stand still, with what there is to see. */
  stop() {
    if (this.beganAt === null) return;
    this.beganAt = null;
    for (const span of this.spans) span.to ??= this.now;
    this.draw();
  }

  level(lane, level, agoMs = 0) {
    this.levels[lane].push({ at: this.now - agoMs, level });
  }

  note({ at_ms: at, name, fields }) {
    this[`on${name}`]?.(at, fields);
  }

  onStartOfTurn(at, { turn }) { this.open("user", turn, at, "turn"); }
  onTurnResumed(at, { turn }) {
    this.open("user", turn, at, "turn");
    this.mark(at, "user", "went on", "user");
  }
  onEagerEndOfTurn(at, { turn }) {
    this.open("user", turn, at, "turn");
    this.mark(at, "user", "done?", "draft");
  }
  onEndOfTurn(at, { turn }) {
    this.close("user", turn, at);
    this.mark(at, "user", "done", "user");
    this.ended = at;
  }
  onStartReply(at, { reply, purpose }) {
    const drafted = purpose.name === "Answer" && purpose.fields.drafted;
    this.open("draft", reply, at, drafted ? "drafting" : "preparing");
  }
  onReleaseReply(at, { reply }) {
    const span = this.find("draft", reply);
    if (span?.look === "drafting") this.close("draft", reply, at, "kept");
  }
  onPlayoutStarted(at, { reply }) {
    this.close("draft", reply, at);
    this.open("agent", reply, at, "speaking");
    if (this.ended !== null) this.mark(at, "agent", `${Math.round(at - this.ended)} ms`, "agent");
    this.ended = null;
  }
  onPlayoutFinished(at, { reply }) { this.close("agent", reply, at); }
  onReplyDeclined(at, { reply }) { this.close("draft", reply, at, "dropped"); }
  onReplyFailed(at, { reply }) {
    this.close("draft", reply, at, "dropped");
    this.close("agent", reply, at, "cut");
  }
  onCancelReply(at, { reply, reason }) {
    this.close("draft", reply, at, "dropped");
    this.close("agent", reply, at, "cut");
    if (reason === "barge_in") this.mark(at, "agent", "barge-in", "cut");
  }

  find(lane, key) {
    return this.spans.findLast((span) => span.lane === lane && span.key === key);
  }

  open(lane, key, from, look) {
    const span = this.find(lane, key);
    if (span && (span.to === null || lane === "user")) span.to = null;
    else this.spans.push({ lane, key, from, to: null, look });
  }

  close(lane, key, to, look) {
    const span = this.find(lane, key);
    if (!span || span.to !== null) return;
    span.to = to;
    span.look = look ?? span.look;
  }

  mark(at, lane, text, look) {
    this.marks.push({ at, lane, text, look });
  }

  forget() {
    const since = this.now - KEEP_MS;
    this.spans = this.spans.filter((span) => (span.to ?? this.now) > since);
    this.marks = this.marks.filter((mark) => mark.at > since);
    for (const lane of ["user", "agent"]) {
      const old = this.levels[lane].findIndex((level) => level.at > since);
      if (old > 100) this.levels[lane].splice(0, old);
    }
  }

  // Drawing.

  draw() {
    const { canvas } = this;
    const ratio = window.devicePixelRatio || 1;
    const width = canvas.clientWidth;
    const height = canvas.clientHeight;
    if (!width) return;
    if (canvas.width !== Math.round(width * ratio) || canvas.height !== Math.round(height * ratio)) {
      canvas.width = Math.round(width * ratio);
      canvas.height = Math.round(height * ratio);
    }
    const style = getComputedStyle(canvas);
    this.ink = (name) => style.getPropertyValue(`--${name}`).trim();
    this.pen = canvas.getContext("2d");
    this.pen.setTransform(ratio, 0, 0, ratio, 0, 0);
    this.pen.clearRect(0, 0, width, height);
    this.pen.font = `11px ${style.fontFamily}`;
    this.width = width;
    this.laneHeight = (height - AXIS - LABELS) / LANES.length;
    this.windowMs = Math.max(8, Math.min(24, width / 40)) * 1000;
    this.until = Math.max(this.now, this.windowMs);
    this.axis(height);
    for (const span of this.spans) this.span(span);
    for (const lane of ["user", "agent"]) this.sound(lane);
    this.words();
  }

  x(at) {
    return this.width - ((this.until - at) / this.windowMs) * this.width;
  }

  top(lane) {
    return LABELS + LANES.indexOf(lane) * this.laneHeight;
  }

  axis(height) {
    const { pen } = this;
    pen.lineWidth = 1;
    pen.textAlign = "center";
    const every = this.windowMs > 12_000 ? 2 : 1;
    const first = Math.floor((this.until - this.windowMs) / 1000 / every) * every;
    for (let second = first; second * 1000 <= this.until; second += every) {
      const x = Math.round(this.x(second * 1000)) + 0.5;
      pen.strokeStyle = this.ink("line");
      pen.beginPath();
      pen.moveTo(x, LABELS);
      pen.lineTo(x, height - AXIS + 4);
      pen.stroke();
      pen.fillStyle = this.ink("faint");
      if (second >= 0 && x > 12 && x < this.width - 12) pen.fillText(`${second} s`, x, height - 5);
    }
    pen.textAlign = "left";
    for (const lane of LANES) {
      const y = Math.round(this.top(lane) + this.laneHeight / 2) + 0.5;
      if (!this.spans.length) pen.fillText(NAMES[lane], 6, y - 7);
      pen.beginPath();
      pen.moveTo(0, y);
      pen.lineTo(this.width, y);
      pen.stroke();
    }
  }

  span({ lane, from, to, look }) {
    const { pen } = this;
    const left = this.x(from);
    const right = this.x(to ?? this.now);
    if (right < 0) return;
    const y = this.top(lane) + 4;
    const height = this.laneHeight - 8;
    pen.beginPath();
    pen.roundRect(left, y, Math.max(right - left, 3), height, Math.min(8, height / 2));
    const ink = this.ink(look === "preparing" ? "agent" : lane);
    pen.globalAlpha = { turn: 0.22, speaking: 0.3, cut: 0.3, kept: 0.4 }[look] ?? 0.16;
    pen.fillStyle = ink;
    pen.fill();
    pen.globalAlpha = look === "dropped" ? 0.5 : 1;
    pen.strokeStyle = ink;
    pen.lineWidth = 1.5;
    pen.setLineDash(["drafting", "preparing", "dropped"].includes(look) ? [4, 3] : []);
    pen.stroke();
    pen.setLineDash([]);
    pen.globalAlpha = 1;
    if (look === "cut") this.cutEdge(right, y, height);
    if (look === "dropped") this.strike(left, right, y + height / 2);
  }

  cutEdge(x, y, height) {
    this.pen.strokeStyle = this.ink("cut");
    this.pen.lineWidth = 3;
    this.pen.beginPath();
    this.pen.moveTo(x, y - 2);
    this.pen.lineTo(x, y + height + 2);
    this.pen.stroke();
  }

  strike(left, right, y) {
    this.pen.strokeStyle = this.ink("draft");
    this.pen.lineWidth = 1.5;
    this.pen.beginPath();
    this.pen.moveTo(left + 4, y);
    this.pen.lineTo(Math.max(right - 4, left + 4), y);
    this.pen.stroke();
  }

  sound(lane) {
    const { pen } = this;
    const middle = this.top(lane) + this.laneHeight / 2;
    const tallest = this.laneHeight / 2 - 6;
    pen.fillStyle = this.ink(lane);
    for (const { at, level } of this.levels[lane]) {
      const x = this.x(at);
      if (x < -2) continue;
      const half = Math.max(0.5, loudness(level) * tallest);
      pen.fillRect(x, middle - half, 1.5, half * 2);
    }
  }

  words() {
    const { pen } = this;
    pen.textAlign = "right";
    let free = { user: Infinity, draft: Infinity, agent: Infinity };
    for (const { at, lane, text, look } of this.marks.toReversed()) {
      const x = this.x(at);
      if (x < 0 || x > this.width + 1) continue;
      const top = this.top(lane);
      pen.strokeStyle = this.ink(look);
      pen.lineWidth = 1.5;
      pen.beginPath();
      pen.moveTo(x, top - (lane === "user" ? 4 : 0));
      pen.lineTo(x, top + this.laneHeight);
      pen.stroke();
      if (x > free[lane]) continue; // no room: the mark alone must do
      const wide = pen.measureText(text).width;
      const right = Math.max(x - 5, wide + 3);
      const base = lane === "user" ? top - 4 : top + 14;
      pen.fillStyle = this.ink("card");
      pen.globalAlpha = 0.85;
      pen.fillRect(right - wide - 3, base - 10, wide + 6, 13);
      pen.globalAlpha = 1;
      pen.fillStyle = this.ink(look);
      pen.fillText(text, right, base);
      free = { ...free, [lane]: right - wide - 8 };
    }
  }
}

/** Map a root mean square to 0..1, as ears do: -50 dB is nothing, 0 dB is all. */
export function loudness(level) {
  return Math.max(0, Math.min(1, 1 + Math.log10(level + 1e-6) / 2.5)) ** 1.4;
}
