"""Everyone around a session, in a bad mood: faults at every seam, drawn from a seed and counted."""

from collections import Counter
from collections.abc import AsyncGenerator, Collection, Iterator, Mapping
from dataclasses import dataclass, field
from math import inf
from random import Random
from typing import Any, Final

import anyio

from turnkit.agent import Agent, Audio, Conversation, Speech, Turn
from turnkit.errors import SourceLost, SynthesisError
from turnkit.history import ToolUse
from turnkit.sources.base import Change, Report
from turnkit.testing.fakes import Reports
from turnkit.tts.base import Mark
from turnkit.turn.events import (
    EagerEndOfTurn,
    EndOfTurn,
    StartOfTurn,
    TurnResumed,
    Update,
    UserEvent,
)

FAULTS: Final[Mapping[str, str]] = {
    "event lost": "a connection breaks, and its successor knows nothing of the turn",
    "event said twice": "a connection breaks, and its successor repeats itself",
    "event late": "events come over several hops that do not wait for one another",
    "news of an old turn": "a source that was restarted counts from an earlier turn",
    "turn skipped": "a turn happened while no source was connected",
    "flood of updates": "a source catches up after a pause",
    "flood of events": "or says one thing in a loop",
    "source lost": "it went away for good",
    "source ended": "it closed in good order in the midst of the call",
    "flapping": "a source cannot make up its mind: cycles of eager end and resume",
    "forced end": "the words of the end are not those of the eager end before",
    "hung up": "the user may leave at any instant",
    "line broke": "so may the network",
    "key pressed": "telephones have keys, and people press them at any time",
    "reports late": "a buffer lies between us and the loudspeaker, and a network behind it",
    "reports lost": "a page in the background stops its timers",
    "reports too large": "a browser counts the silence it put in between",
    "voice slow": "the first audio takes its time",
    "voice fails": "a voice service breaks off, at the start or in the middle",
    "voice stalls": "or falls silent without a word",
    "voice endless": "or does not end",
    "voice mute": "a text has nothing to say in it, and gives no audio",
    "voice in crumbs": "audio comes in pieces of one sample",
    "voice cuts samples": "audio comes in pieces that end within a sample",
    "marks wrong": "marks may be out of order, or of another text",
    "agent slow": "a model takes its time",
    "agent fails": "a model breaks off, at the start or in the middle",
    "agent stalls": "or falls silent, at the start or in the middle",
    "agent declines": "an agent may say nothing",
    "agent deaf": "it swallows its cancellation",
    "agent endless": "it does not end",
    "agent talks nonsense": "it yields what is no speech",
    "agent interrupts itself": "it may stop what is being said",
    "agent insists": "it may have things said that cannot be interrupted",
    "hook fails": "hooks are written by others too",
    "hook slow": "and may take their time",
}
"""What can go wrong in a random call, and why that is more than a thought."""


class Mood:
    """Chance, with a memory of what it did. It spares a call the faults it is to go `without`."""

    def __init__(self, seed: int, without: Collection[str] = ()) -> None:
        self.random = Random(seed)
        self.faults: Counter[str] = Counter()
        self._without = without

    def strikes(self, fault: str, probability: float) -> bool:
        """Tell whether a fault happens now."""
        assert fault in FAULTS, fault
        if self.random.random() >= probability or fault in self._without:
            return False
        self.faults[fault] += 1
        return True


def moody_script(mood: Mood, length_s: float) -> list[tuple[float, UserEvent]]:
    """Return a user's turns, mostly as Flux reports them: people hesitate, go on and barge in."""
    script: list[tuple[float, UserEvent]] = []
    random = mood.random
    at, turn = random.uniform(0, 2), 0
    while at < length_s:
        for event in _turn(mood, turn):
            if mood.strikes("event lost", 0.03):
                continue
            late = random.uniform(0, 3) if mood.strikes("event late", 0.02) else 0.0
            script.append((at + late, event))
            if mood.strikes("event said twice", 0.03):
                script.append((at, event))
            at += random.choice([0.0, 0.08, 0.24, random.uniform(0, 1.5)])
        if mood.strikes("news of an old turn", 0.05):
            old = max(0, turn - random.randrange(4))
            news: UserEvent = EndOfTurn(old, "old") if random.random() < 0.5 else StartOfTurn(old)
            script.append((at, news))
        if mood.strikes("flood of updates", 0.005):
            script += [(at, Update(turn + 1, f"word {n}")) for n in range(600)]
        if mood.strikes("flood of events", 0.001):
            script += [(at, TurnResumed(turn, f"word {n}")) for n in range(600)]
        at += random.choice(
            [0.0, random.uniform(0, 1), random.uniform(0, 8), random.uniform(4, 12)]
        )
        turn += 2 if mood.strikes("turn skipped", 0.1) else 1
    return sorted(script, key=lambda cue: cue[0])


def _turn(mood: Mood, turn: int) -> Iterator[UserEvent]:
    random = mood.random
    words = random.choice([f"turn {turn}", f"turn {turn}", "mm-hm", "..."])
    yield Update(turn, words)
    yield StartOfTurn(turn, words)
    cycles = 7 if mood.strikes("flapping", 0.15) else random.choice([0, 0, 1, 1, 2])
    for cycle in range(cycles):
        words = f"{words} {random.choice(['and', 'or', 'so'])}"
        yield EagerEndOfTurn(turn, words)
        if random.random() < 0.3:
            yield Update(turn, words)
        if random.random() < 0.5 or cycle:
            yield TurnResumed(turn, f"{words} more")
    if mood.strikes("forced end", 0.1):
        words = random.choice(["", f"{words} forced"])
    yield EndOfTurn(turn, words, random.choice(["model", "timeout", "manual"]))


class MoodySource:
    """A source that follows a script, and may be gone before its end."""

    def __init__(self, mood: Mood, script: list[tuple[float, UserEvent]]) -> None:
        self._script = script
        gone_at = mood.random.uniform(0, script[-1][0])
        self._lost_at = gone_at if mood.strikes("source lost", 0.03) else inf
        self._ended_at = gone_at if mood.strikes("source ended", 0.03) else inf

    def hear(self, audio: bytes) -> None:
        """Take no notice."""

    def finish(self) -> None:
        """Take no notice either."""

    def end_turn(self) -> None:
        """Take no notice: the script has its own ends."""

    async def configure(self, change: Change) -> None:
        """Take no notice."""

    async def run(self, report: Report) -> None:
        """Play the script as far as it gets. Raises SourceLost."""
        for at, event in self._script:
            due_at = min(at, self._lost_at, self._ended_at)
            if due_at > anyio.current_time():  # what comes at one instant comes in one breath
                await anyio.sleep_until(due_at)
            if at >= self._lost_at:
                raise SourceLost("scripted loss")
            if at >= self._ended_at:
                return
            report(event)
        await anyio.sleep_forever()


def moody_reports(mood: Mood) -> Reports | None:
    """Return how a far end tells what it has played, if it does."""
    random = mood.random
    if random.random() < 0.4:
        return None
    late_s = random.uniform(0, 2) if mood.strikes("reports late", 0.3) else 0.0
    too_large = mood.strikes("reports too large", 0.2)
    lost = random.choice([0.3, 1.0]) if mood.strikes("reports lost", 0.3) else 0.0

    def says(played_s: float) -> float | None:
        if random.random() < lost:
            return None
        return played_s * random.uniform(1, 3) if too_large else played_s

    return Reports(every_s=0.25, late_s=late_s, says=says)


class MoodyVoice:
    """A voice in a different mood for each clause."""

    def __init__(self, mood: Mood) -> None:
        self.sample_rate_hz = mood.random.choice([8000, 8000, 16000, 24000])
        self._mood = mood
        self._has_marks = mood.random.random() < 0.5

    async def speak(self, text: str) -> AsyncGenerator[bytes | Mark, None]:
        """Yield some sound, of whatever length."""
        mood, random = self._mood, self._mood.random
        slow = mood.strikes("voice slow", 0.3)
        await anyio.sleep(random.uniform(0, 2) if slow else random.choice([0.0, 0.1]))
        if mood.strikes("voice mute", 0.02):
            return
        for number, pcm in enumerate(self._sound(text)):
            if mood.strikes("voice fails", 0.01 / (number + 1)):
                raise SynthesisError("scripted failure")
            if mood.strikes("voice stalls", 0.004 / (number + 1)):
                await anyio.sleep(1000)
            if self._has_marks:
                wrong = mood.strikes("marks wrong", 0.05)
                yield Mark(random.randrange(300) if wrong else min(3 * number, len(text) - 1))
            yield pcm
            await anyio.sleep(random.choice([0.0, 0.02, 0.3]))

    def _sound(self, text: str) -> Iterator[bytes]:
        mood = self._mood
        piece = b"\x00\x10" * (self.sample_rate_hz // 5)
        pieces = max(1, len(text) // 3)
        if mood.strikes("voice in crumbs", 0.02):
            yield from (b"\x00\x10" for _ in range(50))
        if mood.strikes("voice cuts samples", 0.01):
            yield from (piece[:101], piece[101:])
        if mood.strikes("voice endless", 0.005):
            pieces = 100_000
        yield from (piece for _ in range(pieces))


@dataclass(slots=True)
class Deeds:
    """What an agent did in earnest, for whoever checks that."""

    at: list[tuple[float, int]] = field(default_factory=list)
    """Instants and turns of what cannot be undone."""
    uses: list[ToolUse] = field(default_factory=list)
    attempts: list[int] = field(default_factory=list)
    """The turn of each attempt."""
    fates: list[tuple[int, str]] = field(default_factory=list)
    """For each attempt that was told its fate: which attempt, and which fate."""
    tokens: int = 0


class MoodyAgent(Agent):
    """An agent in a different mood for each turn."""

    def __init__(self, mood: Mood) -> None:
        self.deeds = Deeds()
        self._mood = mood
        self._random = mood.random

    async def on_start(self, session: Conversation) -> str | None:
        """Greet, or not, at some time."""
        self._session = session
        await anyio.sleep(self._random.uniform(0, 2))
        self._stumble()
        return self._random.choice([None, "Hello, this is a greeting."])

    async def on_idle(self, session: Conversation) -> str | None:
        """Break the silence in some way."""
        if self._mood.strikes("agent insists", 0.25):
            session.say("This call is being recorded for training.", interruptible=False)
        elif self._mood.strikes("agent interrupts itself", 0.25):
            session.interrupt()
        elif self._random.random() < 0.3:
            return "Are you still there?"
        return None

    async def on_digit(self, session: Conversation, digit: str) -> str | None:
        """Listen for more of them, or say something."""
        self._stumble()
        session.expect()
        return self._random.choice([None, f"You pressed {digit}."])

    async def on_interrupted(self, turn: Turn | None, heard: str, unheard: str) -> None:  # noqa: ARG002
        """Apologise at times."""
        if self._mood.strikes("hook slow", 0.1):
            await anyio.sleep(self._random.uniform(0, 60))
        self._stumble()
        if self._random.random() < 0.2:
            self._session.say("Sorry, go on.")

    async def on_error(self, turn: Turn, error: str) -> str | None:  # noqa: ARG002
        """Find words, or not."""
        if self._mood.strikes("hook slow", 0.1):
            await anyio.sleep(self._random.uniform(0, 60))
        self._stumble()
        return self._random.choice([None, "Sorry about that."])

    async def on_end(self, reason: str) -> None:  # noqa: ARG002
        """Take too long over it."""
        if self._mood.strikes("hook slow", 0.1):
            await anyio.sleep(self._random.uniform(0, 60))
        self._stumble()

    async def reply(self, turn: Turn) -> AsyncGenerator[Speech, None]:
        """Answer in some way."""
        mood, random = self._mood, self._random
        self._follow(turn)
        slow = mood.strikes("agent slow", 0.3)
        await anyio.sleep(random.uniform(0, 6) if slow else random.choice([0.0, 0.2]))
        if mood.strikes("agent declines", 0.08):
            return
        if mood.strikes("agent deaf", 0.05):
            await self._ignore_cancellation()
            yield "This must not be heard."
        if random.random() < 0.2:
            await self._act(turn)
        async for piece in self._words(turn):
            if mood.strikes("agent fails", 0.02):
                raise RuntimeError("scripted failure")
            if mood.strikes("agent stalls", 0.02):
                await anyio.sleep(1000)
            if mood.strikes("agent interrupts itself", 0.005):
                self._session.interrupt("changed its mind")
            yield piece

    async def _words(self, turn: Turn) -> AsyncGenerator[Speech, None]:
        mood, random = self._mood, self._random
        if mood.strikes("agent talks nonsense", 0.01):
            nonsense: Any = 42
            yield nonsense
        if mood.strikes("agent insists", 0.03):
            self._session.say("By the way, we close at ten.", interruptible=False)
        while mood.strikes("agent endless", 0.05):
            for _ in range(200):
                yield "and so on, "
                await anyio.sleep(0.3)
        if random.random() < 0.05:
            yield Audio(b"\x00\x10" * 4000, 8000, text="a jingle")
        for word in f"Here is what I think about {turn.transcript}. ".split():
            await anyio.sleep(random.uniform(0, 0.2))
            yield f"{word} "

    def _follow(self, turn: Turn) -> None:
        """Notice what becomes of an attempt, and spend something on it."""
        deeds, attempt = self.deeds, len(self.deeds.attempts)
        deeds.attempts.append(turn.index)
        turn.on_commit(lambda: deeds.fates.append((attempt, "commit")))
        turn.on_rollback(lambda: deeds.fates.append((attempt, "rollback")))
        turn.spent(7)
        deeds.tokens += 7

    async def _act(self, turn: Turn) -> None:
        """Do what cannot be undone, once it may be done."""
        await turn.settled()
        self.deeds.at.append((anyio.current_time(), turn.index))
        use = ToolUse("act", "{}", "null", key=str(len(self.deeds.uses)))
        turn.done.append(use)
        self.deeds.uses.append(use)

    async def _ignore_cancellation(self) -> None:
        for _ in range(3):
            try:
                await anyio.sleep(2)
            except anyio.get_cancelled_exc_class():
                continue

    def _stumble(self) -> None:
        if self._mood.strikes("hook fails", 0.05):
            raise RuntimeError("scripted failure")
