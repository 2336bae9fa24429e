// What happened, in lines, and the three figures that tell how well.

const LONGEST = 300;

export class Events {
  constructor(list, figures) {
    this.list = list;
    this.figures = figures;
    this.forget();
  }

  clear() {
    this.list.replaceChildren();
    this.forget();
  }

  forget() {
    this.started = new Map(); // reply -> {at, drafted, turn}
    this.ended = new Map(); // turn -> at
    this.kept = 0;
    this.dropped = 0;
    for (const figure of Object.values(this.figures)) figure.textContent = "–";
  }

  note({ at_ms: at, name, fields }) {
    this[`on${name}`]?.(at, fields);
  }

  onStartOfTurn(at, { turn }) { this.line(at, "user", `turn ${turn} begins`); }
  onEagerEndOfTurn(at, { turn }) { this.line(at, "user", `turn ${turn} probably over`); }
  onTurnResumed(at, { turn }) { this.line(at, "user", `turn ${turn} goes on`); }
  onEndOfTurn(at, { turn, trigger }) {
    this.ended.set(turn, at);
    this.line(at, "user", `turn ${turn} over`, trigger === "model" ? "" : trigger);
  }

  onStartReply(at, { reply, purpose }) {
    const drafted = purpose.name === "Answer" && purpose.fields.drafted;
    this.started.set(reply, { at, drafted, turn: purpose.fields.turn });
    const what = { Answer: "reply", Apology: "apology", Prompt: "greeting" }[purpose.name];
    this.line(at, drafted ? "draft" : "agent", drafted ? `draft ${reply} begins` :
      `${what ?? "reply"} ${reply} begins`);
  }

  onReleaseReply(at, { reply }) {
    const start = this.started.get(reply);
    if (!start?.drafted) return;
    this.kept++;
    this.figures.headstart.textContent = `${Math.round(at - start.at)} ms`;
    this.count();
    this.line(at, "draft", `draft ${reply} kept`, `${Math.round(at - start.at)} ms ahead`);
  }

  onPlayoutStarted(at, { reply }) {
    const ended = this.ended.get(this.started.get(reply)?.turn);
    const delay = ended === undefined ? "" : `${Math.round(at - ended)} ms`;
    if (delay) this.figures.latency.textContent = delay;
    this.line(at, "agent", `reply ${reply} heard`, delay && `after ${delay}`);
  }

  onPlayoutFinished(at, { reply }) { this.line(at, "agent", `reply ${reply} played`); }
  onReplyDeclined(at, { reply }) { this.line(at, "agent", `reply ${reply} says nothing`); }
  onReplyFailed(at, { reply, reason }) { this.line(at, "cut", `reply ${reply} failed`, reason); }

  onCancelReply(at, { reply, reason }) {
    if (reason === "barge_in") return this.line(at, "cut", "barge-in", `reply ${reply} cut`);
    const drafted = this.started.get(reply)?.drafted;
    if (drafted) this.dropped++;
    this.count();
    const why = { resumed: "the turn went on", changed: "the words changed" }[reason] ?? reason;
    return this.line(at, "draft", `${drafted ? "draft" : "reply"} ${reply} dropped`, why);
  }

  onCloseTurn(at, { turn, outcome }) { this.line(at, "faint", `turn ${turn}: ${outcome}`); }
  onAgentStuck(at, { reply }) { this.line(at, "cut", `reply ${reply} will not end`); }
  onCallEnded(at, { reason }) { this.line(at, "faint", "call ended", reason); }

  count() {
    const all = this.kept + this.dropped;
    this.figures.drafts.textContent = all ? `${this.kept} of ${all}` : "–";
  }

  line(at, look, text, detail = "") {
    this.list.querySelector(".empty")?.remove();
    const item = document.createElement("li");
    item.className = look;
    for (const [tag, content] of [["time", (at / 1000).toFixed(3)], ["b", text], ["span", detail]]) {
      const part = document.createElement(tag);
      part.append(content);
      item.append(part);
    }
    this.list.append(item);
    while (this.list.childElementCount > LONGEST) this.list.firstElementChild.remove();
    this.list.scrollTop = this.list.scrollHeight;
  }
}
