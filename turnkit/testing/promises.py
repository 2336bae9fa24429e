"""What turnkit promises, checked on what happened: it sees only the tape and what was heard.

Each promise has a name and a function that yields a sentence for every breach. They hold for any
conversation, whatever the source, the agent and the voice do. Each looks at a call once from its
beginning to its end, so that long calls can be checked too: the tape is in the order of time, and
so are the sounds, of which none begins before the last one ended.
"""

from bisect import bisect_left, bisect_right
from collections import Counter, deque
from collections.abc import Callable, Iterator
from itertools import pairwise
from math import inf
from typing import Final, TypeAlias

from turnkit.audio.frames import FRAME_S
from turnkit.history import Message
from turnkit.listeners.base import ReplyHeard
from turnkit.testing.play import Heard
from turnkit.turn.commands import (
    Answer,
    Apology,
    CancelReply,
    CloseTurn,
    Prompt,
    ReleaseReply,
    ResumeReply,
    StartReply,
)
from turnkit.turn.events import EagerEndOfTurn, EndOfTurn, StartOfTurn, TurnResumed

Promise: TypeAlias = Callable[[Heard], Iterator[str]]

_LAST_DEADLINE_S = 5.0 + 15.0 + 15.0 + FRAME_S
"""A draft, a fresh attempt and an apology, each as slow as `TurnPolicy` allows by default."""

_CLOCK_ERROR_S = 1e-6


def breaches(heard: Heard) -> list[str]:
    """Return every breach of every promise, as `promise: what happened`."""
    return [f"{name}: {breach}" for name, check in PROMISES.items() for breach in check(heard)]


def _one_end_per_turn(heard: Heard) -> Iterator[str]:
    """Every final turn is closed exactly once: answered, or with a recorded reason."""
    closed = Counter(item.turn for _, item in heard.tape if isinstance(item, CloseTurn))
    for turn, times in closed.items():
        if times > 1:
            yield f"turn {turn} was closed {times} times"
    for turn in _final_turns(heard):
        if turn not in closed:
            yield f"turn {turn} was final and never closed"


def _one_reply_per_turn(heard: Heard) -> Iterator[str]:
    """At most one answer to a turn is heard."""
    sounding = {sound.reply for sound in heard.sounds}
    answers = Counter(
        purpose.turn
        for reply, purpose in _purposes(heard).items()
        if isinstance(purpose, Answer) and reply in sounding
    )
    for turn, times in answers.items():
        if times > 1:
            yield f"turn {turn} was answered aloud {times} times"


def _the_answer_fits_the_words(heard: Heard) -> Iterator[str]:
    """Answers that are heard answer the final words, not others."""
    final = {item.turn: item.transcript for _, item in reversed(_ends(heard))}
    sounding = {sound.reply for sound in heard.sounds}
    for reply, purpose in _purposes(heard).items():
        if not isinstance(purpose, Answer) or reply not in sounding:
            continue
        if purpose.transcript != final.get(purpose.turn):
            yield f"reply {reply} answers words that turn {purpose.turn} did not end with"


def _never_silent(heard: Heard) -> Iterator[str]:
    """Answer a final turn aloud, or close it, before the last deadline has passed."""
    purposes, final = _purposes(heard), set(_final_turns(heard))
    sounded = {
        getattr(purposes[sound.reply], "turn", None): sound.start
        for sound in reversed(heard.sounds)
    }
    closed = {item.turn: at for at, item in reversed(heard.tape) if isinstance(item, CloseTurn)}
    insisted = [sound for sound in heard.sounds if _insists(purposes[sound.reply])][-1:]
    for at, end in _ends(heard):
        if end.turn not in final:
            continue  # its end came when a newer turn had begun
        until = max([at, *(s.end for s in insisted if s.start >= at)]) + _LAST_DEADLINE_S
        first = min(closed.get(end.turn, inf), sounded.get(end.turn, inf))
        if first > until < heard.tape[-1][0]:
            yield f"nobody answered turn {end.turn}, final at {at:.3f}"


def _silent_before_final(heard: Heard) -> Iterator[str]:
    """Nothing of a reply sounds before its turn is final."""
    final_at = {item.turn: at for at, item in reversed(_ends(heard))}
    purposes = _purposes(heard)
    for sound in heard.sounds:
        purpose = purposes[sound.reply]
        if isinstance(purpose, Answer | Apology) and sound.start < final_at.get(purpose.turn, inf):
            yield f"reply {sound.reply} sounded at {sound.start:.3f} before its turn was final"


def _silent_when_cancelled(heard: Heard) -> Iterator[str]:
    """Nothing of a reply sounds more than a frame after it was cancelled."""
    sounded_until = {sound.reply: sound.end for sound in heard.sounds}
    for at, item in heard.tape:
        if isinstance(item, CancelReply):
            until = sounded_until.get(item.reply, -inf)
            if until > at + FRAME_S:
                yield f"reply {item.reply} sounded until {until:.3f}, cancelled at {at:.3f}"


def _silent_when_the_user_speaks(heard: Heard) -> Iterator[str]:
    """When a new turn starts, whatever sounded stops within a frame, unless it is resumed."""
    purposes, taken, resumed = _purposes(heard), _floor_taken(heard), _resumed(heard)
    released = {item.reply: at for at, item in heard.tape if isinstance(item, ReleaseReply)}
    told = set[int]()
    for sound in heard.sounds:
        # The latest start it sounds over tells: an earlier one leaves more time to be resumed.
        over = bisect_left(taken, (sound.end - FRAME_S - _CLOCK_ERROR_S,)) - 1
        if over < 0 or over in told or _insists(purposes[sound.reply]):
            continue
        at, turn = taken[over]
        resumes = resumed.get(sound.reply, [])
        later = bisect_right(resumes, sound.start + _CLOCK_ERROR_S)
        if released.get(sound.reply, -inf) < at and (not later or resumes[later - 1] < at):
            told.add(over)
            yield f"reply {sound.reply} sounded over turn {turn} at {sound.start:.3f}"


def _resumed(heard: Heard) -> dict[int, list[float]]:
    """Return when each reply was resumed."""
    resumed: dict[int, list[float]] = {}
    for at, item in heard.tape:
        if isinstance(item, ResumeReply):
            resumed.setdefault(item.reply, []).append(at)
    return resumed


def _floor_taken(heard: Heard) -> list[tuple[float, int]]:
    """Return the instants at which the user began a turn newer than any before, and its number."""
    taken: list[tuple[float, int]] = []
    newest, ends = -1, deque(_ends(heard))
    for at, item in heard.tape:
        if isinstance(item, StartOfTurn):
            while ends and ends[0][0] < at:
                newest = max(newest, ends.popleft()[1].turn)
            if item.turn > newest:
                newest = item.turn
                taken.append((at, item.turn))
    return taken


def _insists(purpose: object) -> bool:
    return isinstance(purpose, Prompt) and not purpose.interruptible


def _one_voice(heard: Heard) -> Iterator[str]:
    """No reply sounds into another: replies are heard in order, each in one piece of the order."""
    order = [sound.reply for sound in heard.sounds]
    if order != sorted(order):
        yield f"replies were heard in the order {list(dict.fromkeys(order))}"
    for before, after in pairwise(heard.sounds):
        if before.reply != after.reply and after.arrived < before.end - _CLOCK_ERROR_S:
            yield f"reply {after.reply} was sent while {before.reply} still sounded"


def _every_reply_ends(heard: Heard) -> Iterator[str]:
    """Every reply that was started is over at the end, once."""
    ended = Counter(item.reply for _, item in heard.tape if isinstance(item, ReplyHeard))
    for reply in _purposes(heard):
        if ended[reply] != 1:
            yield f"reply {reply} ended {ended[reply]} times"


def _history_is_what_was_heard(heard: Heard) -> Iterator[str]:
    """History holds the agent's words that were heard, and no others."""
    spoken = [item.heard.strip() for _, item in heard.tape if isinstance(item, ReplyHeard)]
    said = [entry for entry in heard.history if isinstance(entry, Message)]
    kept = [message.text for message in said if message.role == "agent"]
    if kept != [words for words in spoken if words][-len(kept) :]:  # it forgets its beginning
        yield f"history has {kept}, heard was {spoken}"
    sounding = {sound.reply for sound in heard.sounds}
    for _, item in heard.tape:
        if isinstance(item, ReplyHeard) and item.heard.strip() and item.reply not in sounding:
            yield f"reply {item.reply} counts as heard without a sound of it"


PROMISES: Final[dict[str, Promise]] = {
    "one end per turn": _one_end_per_turn,
    "one reply per turn": _one_reply_per_turn,
    "the answer fits the words": _the_answer_fits_the_words,
    "never silent": _never_silent,
    "silent before final": _silent_before_final,
    "silent when cancelled": _silent_when_cancelled,
    "silent when the user speaks": _silent_when_the_user_speaks,
    "one voice": _one_voice,
    "every reply ends": _every_reply_ends,
    "history is what was heard": _history_is_what_was_heard,
}


def _purposes(heard: Heard) -> dict[int, object]:
    return {item.reply: item.purpose for _, item in heard.tape if isinstance(item, StartReply)}


def _ends(heard: Heard) -> list[tuple[float, EndOfTurn]]:
    return [(at, item) for at, item in heard.tape if isinstance(item, EndOfTurn)]


def _final_turns(heard: Heard) -> Iterator[int]:
    """Yield the turns that ended before a newer one had begun; news after that comes too late."""
    newest = -1
    for _, item in heard.tape:
        if isinstance(item, EndOfTurn) and item.turn >= newest:
            yield item.turn
        if isinstance(item, StartOfTurn | EagerEndOfTurn | TurnResumed | EndOfTurn):
            newest = max(newest, item.turn)
