"""Random conversations from a seed: `python -m turnkit.testing.simulate --calls 1000`.

Users hesitate, go on, repeat themselves and barge in; sources flap, repeat and skip; agents are
slow, fail, decline, talk for ever or refuse to stop; voices stall and break. The promises hold in
all of them. A call repeats bit for bit from its seed.
"""

import argparse
import sys
import time
from collections.abc import AsyncGenerator, Iterator
from dataclasses import dataclass
from math import inf
from random import Random

import anyio
import structlog

from turnkit.agent import Agent, Speech, Turn
from turnkit.config import Settings
from turnkit.errors import SynthesisError
from turnkit.session import Session
from turnkit.testing.clock import run_virtual
from turnkit.testing.play import Heard, play
from turnkit.testing.promises import breaches
from turnkit.turn.events import (
    EagerEndOfTurn,
    EndOfTurn,
    StartOfTurn,
    TurnResumed,
    Update,
    UserEvent,
)

CALL_S = 90.0
_PATIENCE_S = 120.0  # after the last word, for the last reply to end by itself


@dataclass(frozen=True, slots=True)
class Call:
    """One simulated call."""

    seed: int
    heard: Heard
    breaches: list[str]

    @property
    def fingerprint(self) -> str:
        """All that happened, as text: equal for equal seeds."""
        return repr((self.heard.tape, self.heard.spans, self.heard.history))


def simulate(seed: int) -> Call:
    """Run the call of this seed."""
    random = Random(seed)
    script = list(_user(random))
    agent, voice = _MoodyAgent(Random(seed + 1)), _MoodyVoice(Random(seed + 2))
    settings = Settings.model_construct(
        speculate=random.choice(["off", "llm", "llm+tts"]),
        hold_s=random.choice([0.0, 0.0, 1.0]),
        barge_in=random.choice(["stop", "stop", "pause"]),
        idle_s=random.choice([inf, 4.0]),
        max_reply_s=20.0,
        staged_audio_s=2.0,
    )
    end = script[-1][0] + (random.uniform(0, 3) if random.random() < 0.2 else _PATIENCE_S)
    heard = run_virtual(
        lambda: play(*script, agent=agent, voice=voice, settings=settings, hang_up_at=end)
    )
    return Call(seed, heard, [*breaches(heard), *agent.breaches(heard)])


def _user(random: Random) -> Iterator[tuple[float, UserEvent]]:
    """Yield a user's turns, mostly as Flux reports them."""
    at, turn = random.uniform(0, 2), 0
    while at < CALL_S:
        for event in _turn(random, turn):
            if random.random() < 0.03:
                continue  # lost on the way
            yield at, event
            if random.random() < 0.03:
                yield at, event  # said twice
            at += random.choice([0.0, 0.08, 0.24, random.uniform(0, 1.5)])
        at += random.choice([0.0, random.uniform(0, 1), random.uniform(0, 8)])
        turn += random.choice([1, 1, 1, 1, 1, 2])


def _turn(random: Random, turn: int) -> Iterator[UserEvent]:
    words = random.choice([f"turn {turn}", f"turn {turn}", "mm-hm", "..."])
    yield Update(turn, words)
    yield StartOfTurn(turn, words)
    for cycle in range(random.choice([0, 0, 1, 1, 2, 7])):
        words = f"{words} {random.choice(['and', 'or', 'so'])}"
        yield EagerEndOfTurn(turn, words)
        if random.random() < 0.3:
            yield Update(turn, words)
        if random.random() < 0.5 or cycle:
            yield TurnResumed(turn, f"{words} more")
    if random.random() < 0.1:
        words = random.choice(["", f"{words} forced"])
    yield EndOfTurn(turn, words, random.choice(["model", "timeout", "manual"]))


class _MoodyAgent(Agent):
    """An agent in a different mood for each turn."""

    def __init__(self, random: Random) -> None:
        self._random = random
        self._effects: list[tuple[float, int]] = []

    async def on_start(self, session: Session) -> str | None:
        self._session = session
        await anyio.sleep(self._random.uniform(0, 2))
        return self._random.choice([None, "Hello, this is a greeting."])

    async def on_idle(self, session: Session) -> str | None:
        match self._random.randrange(4):
            case 0:
                session.say("This call is being recorded for training.", interruptible=False)
            case 1:
                session.interrupt()
            case 2:
                return "Are you still there?"
        return None

    async def on_interrupted(self, turn: Turn | None, heard: str, unheard: str) -> None:  # noqa: ARG002
        if self._random.random() < 0.2:
            self._session.say("Sorry, go on.")

    async def on_error(self, turn: Turn, error: str) -> str | None:  # noqa: ARG002
        if self._random.random() < 0.1:
            raise RuntimeError("no apology")
        return self._random.choice([None, "Sorry about that."])

    async def reply(self, turn: Turn) -> AsyncGenerator[Speech, None]:
        await anyio.sleep(self._random.choice([0.0, 0.2, self._random.uniform(0, 6)]))
        match self._random.randrange(12):
            case 0:
                raise RuntimeError("before the first word")
            case 1:
                yield "I was about to"
                raise RuntimeError("after the first words")
            case 2:
                return  # declines
            case 3:
                await anyio.sleep(1000)
            case 4:
                yield "One moment, "
                await anyio.sleep(1000)
            case 5:
                await self._ignore_cancellation()
                yield "This must not be heard."
            case 6:
                await turn.settled()
                self._effects.append((anyio.current_time(), turn.index))
                yield "Done."
            case 7:
                self._session.say("By the way, we close at ten.", interruptible=False)
                if self._random.random() < 0.3:
                    self._session.interrupt("changed its mind")
                while True:
                    yield "and so on, "
                    await anyio.sleep(0.3)
            case _:
                for word in f"Here is what I think about {turn.transcript}. ".split():
                    await anyio.sleep(self._random.uniform(0, 0.2))
                    yield f"{word} "

    async def _ignore_cancellation(self) -> None:
        for _ in range(3):
            try:
                await anyio.sleep(2)
            except anyio.get_cancelled_exc_class():
                continue

    def breaches(self, heard: Heard) -> Iterator[str]:
        """Yield what was done before its turn was final."""
        ends = [(at, item) for at, item in heard.tape if isinstance(item, EndOfTurn)]
        for at, turn in self._effects:
            if not any(item.turn == turn and when <= at for when, item in ends):
                yield f"nothing irreversible on a guess: turn {turn} acted at {at:.3f}"


class _MoodyVoice:
    """A voice that is sometimes slow and sometimes breaks."""

    sample_rate_hz = 8000

    def __init__(self, random: Random) -> None:
        self._random = random

    async def speak(self, text: str) -> AsyncGenerator[bytes, None]:
        await anyio.sleep(self._random.choice([0.0, 0.1, self._random.uniform(0, 2)]))
        breaks_at = self._random.choice([None] * 15 + [0, 2])
        for piece in range(max(1, len(text) // 3)):
            if piece == breaks_at:
                raise SynthesisError("scripted failure")
            yield b"\x00\x10" * 1600
            await anyio.sleep(self._random.choice([0.0, 0.02, 0.3]))


def main() -> int:
    """Run calls from the command line until one breaks a promise."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--calls", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=0, help="of the first call")
    options = parser.parse_args()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(50))
    began, call_s = time.perf_counter(), 0.0
    for seed in range(options.seed, options.seed + options.calls):
        call = simulate(seed)
        call_s += call.heard.tape[-1][0]
        if call.breaches:
            print(f"seed {seed}:", *call.breaches, sep="\n  ")  # noqa: T201
            return 1
    took_s = time.perf_counter() - began
    print(  # noqa: T201
        f"{options.calls} calls, {call_s / 3600:.1f} h of talk in {took_s:.1f} s "
        f"({call_s / took_s:,.0f} x real time): every promise kept"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
