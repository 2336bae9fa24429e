// The conversation as bubbles. Words from outside become text nodes, never markup.

const LONGEST = 200; // bubbles kept on the page

const DROPPED = {
  resumed: "dropped: you went on",
  changed: "dropped: the words changed",
  superseded: "dropped: you spoke again",
  deadline: "dropped: it took too long",
  call_ended: "dropped: the call ended",
};

export class Conversation {
  constructor(list) {
    this.list = list;
    this.turns = new Map();
    this.replies = new Map();
  }

  clear() {
    this.list.replaceChildren();
    this.turns.clear();
    this.replies.clear();
  }

  /** Take in a note; those about anything else are not ours. */
  note({ at_ms: at, name, fields }) {
    this[`on${name}`]?.(fields, at);
  }

  onStartOfTurn({ turn, transcript }) { this.hear(turn, transcript, "live"); }
  onUpdate({ turn, transcript }) {
    if (this.turns.has(turn)) this.hear(turn, transcript); // sources also report silence
  }
  onEagerEndOfTurn({ turn, transcript }) { this.hear(turn, transcript, "maybe"); }
  onTurnResumed({ turn, transcript }) { this.hear(turn, transcript, "live"); }

  onEndOfTurn({ turn, transcript }, at) {
    const bubble = this.hear(turn, transcript, "final");
    bubble.endedAt = at;
    if (!transcript.trim()) this.remark(bubble, "no words understood");
  }

  onCloseTurn({ turn, outcome, reason }) {
    const bubble = this.turns.get(turn);
    if (bubble && ["declined", "failed"].includes(outcome)) {
      this.remark(bubble, reason ? `${outcome}: ${reason}` : outcome);
    }
  }

  onStartReply({ reply, purpose }) {
    const drafted = purpose.name === "Answer" && purpose.fields.drafted;
    const bubble = this.add("agent", drafted ? "draft" : "thinking");
    bubble.turn = purpose.name === "Answer" ? purpose.fields.turn : undefined;
    this.remark(bubble, drafted ? "draft, not audible" : "preparing");
    this.replies.set(reply, bubble);
  }

  onReplyWorded({ reply, text }) {
    const bubble = this.replies.get(reply);
    if (!bubble || bubble.dataset.state === "dropped") return;
    bubble.words.append(text);
    this.follow();
  }

  onReleaseReply({ reply }) {
    const bubble = this.replies.get(reply);
    if (bubble?.dataset.state !== "draft") return;
    this.remark(bubble, "draft kept");
    this.become(bubble, "released");
  }

  onPlayoutStarted({ reply }, at) {
    const bubble = this.replies.get(reply);
    if (!bubble) return;
    const endedAt = this.turns.get(bubble.turn)?.endedAt;
    const kept = bubble.dataset.state === "released" ? "draft kept, " : "";
    const delay = Math.round(at - endedAt);
    this.remark(bubble, endedAt === undefined ? "" : `${kept}heard ${delay} ms after your turn`);
    this.become(bubble, "speaking");
  }

  onCancelReply({ reply, reason }) {
    const bubble = this.replies.get(reply);
    this.become(bubble, reason === "barge_in" ? "cut" : "dropped");
    if (bubble) this.remark(bubble, DROPPED[reason] ?? "cut: you took the floor");
  }

  onReplyHeard({ reply, heard, unheard }) {
    const bubble = this.replies.get(reply);
    if (!bubble) return;
    const lost = document.createElement("s");
    lost.append(unheard);
    bubble.words.replaceChildren(heard, ...(unheard ? [lost] : []));
    if (bubble.dataset.state === "speaking") this.become(bubble, "said");
  }

  onReplyDeclined({ reply }) {
    const bubble = this.replies.get(reply);
    this.become(bubble, "dropped");
    if (bubble) this.remark(bubble, "the agent chose to say nothing");
  }

  onReplyFailed({ reply, reason }) {
    const bubble = this.replies.get(reply);
    this.become(bubble, "failed");
    if (bubble) this.remark(bubble, `failed: ${reason}`);
  }

  hear(turn, transcript, state) {
    const bubble = this.turns.get(turn) ?? this.add("user", "live");
    this.turns.set(turn, bubble);
    if (transcript) bubble.words.replaceChildren(transcript);
    this.become(bubble, state ?? bubble.dataset.state);
    this.follow();
    return bubble;
  }

  add(party, state) {
    const bubble = document.createElement("li");
    bubble.className = party;
    bubble.dataset.state = state;
    bubble.words = document.createElement("p");
    bubble.small = document.createElement("small");
    bubble.append(bubble.words, bubble.small);
    this.list.querySelector(".empty")?.remove();
    this.list.append(bubble);
    while (this.list.childElementCount > LONGEST) this.list.firstElementChild.remove();
    this.follow();
    return bubble;
  }

  become(bubble, state) {
    if (bubble) bubble.dataset.state = state;
  }

  remark(bubble, text) {
    bubble.small.replaceChildren(text);
    this.follow();
  }

  follow() {
    this.list.scrollTop = this.list.scrollHeight;
  }
}
