"""A conversation written down like a script, played on a whole session in virtual time.

::

    s = Scenario(agent=MyAgent(), llm_s=0.15, tts_s=0.08)
    s.user.says("book for", pause=0.6)
    s.flux.eager()
    s.advance(0.3)
    s.flux.resumes()
    s.user.says("four")
    s.flux.eager()
    s.advance(0.2)
    s.flux.ends()
    s.llm.fails(at="eager")
    heard = await s.play()
    heard.answered(turn=0)
    heard.promises_kept()
"""

from dataclasses import dataclass, field
from typing import TypeAlias, assert_never, cast

import anyio

from turnkit.agent import Agent
from turnkit.config import Settings
from turnkit.listeners.base import Item, ReplyHeard
from turnkit.session import Session
from turnkit.sources.base import Change, Report
from turnkit.testing.fakes import ExactVoice, MemoryTransport, Reports, ScriptedAgent, Tape
from turnkit.testing.faults import Faults, UnreliableAgent, UnreliableVoice
from turnkit.testing.play import Heard
from turnkit.testing.witness import Witness
from turnkit.transports.base import DigitPressed
from turnkit.tts.base import Synthesizer
from turnkit.turn.events import (
    EagerEndOfTurn,
    EndOfTurn,
    PlayoutStarted,
    StartOfTurn,
    TurnResumed,
    Update,
    UserEvent,
)

WORD_S = 0.25
"""How long a word takes to say: four a second, and the source hears each at its end."""

_PATIENCE_S = 120.0
"""How long a user waits for a sound to speak over."""


@dataclass(frozen=True, slots=True)
class _Pause:
    seconds: float


@dataclass(frozen=True, slots=True)
class _FirstSound:
    """So long after the first sound of the reply that is heard, or of the next one."""

    after: float


@dataclass(frozen=True, slots=True)
class _HangUp:
    """The user leaves."""


_Cue: TypeAlias = UserEvent | DigitPressed | _Pause | _FirstSound | _HangUp


@dataclass(slots=True)
class _Script:
    """What will happen, in order, and where the turn under way is."""

    cues: list[_Cue] = field(default_factory=list)
    turn: int = 0
    words: str = ""

    def add(self, *cues: _Cue) -> None:
        self.cues += cues

    def say(self, words: list[str]) -> None:
        """Have words heard, each at its end."""
        for word in words:
            self.add(_Pause(WORD_S))
            self.hear(word)

    def hear(self, word: str) -> None:
        """Have a word heard now."""
        begins = not self.words
        self.words = f"{self.words} {word}".strip()
        heard = StartOfTurn if begins else Update
        self.add(heard(self.turn, self.words))


class ScriptedUser:
    """What the user does."""

    def __init__(self, script: _Script) -> None:
        self._script = script

    def says(self, words: str, *, pause: float = 0.0) -> None:
        """Say words, four a second, and be silent for a while; the first begin a turn."""
        self._script.say(words.split())
        self._script.add(_Pause(pause))

    def barges_in(self, words: str, *, after: float) -> None:
        """Begin a turn so long after the first sound of the reply that is heard, or comes next."""
        first, *others = words.split()
        self._script.add(_FirstSound(after))
        self._script.hear(first)
        self._script.say(others)

    def presses(self, digit: str) -> None:
        """Press a key of the telephone."""
        self._script.add(DigitPressed(digit))

    def hangs_up(self) -> None:
        """Leave. Without this the user stays for a minute after the last cue."""
        self._script.add(_HangUp())


class ScriptedFlux:
    """What the turn source says of the turn under way, with the words said so far."""

    def __init__(self, script: _Script) -> None:
        self._script = script

    def eager(self) -> None:
        """Take the turn as probably over."""
        self._script.add(EagerEndOfTurn(self._script.turn, self._script.words))

    def resumes(self) -> None:
        """Take that back."""
        self._script.add(TurnResumed(self._script.turn, self._script.words))

    def ends(self, words: str | None = None, *, trigger: str = "model") -> None:
        """End the turn, on other words than were said so far if any are given."""
        said = self._script.words if words is None else words
        self._script.add(EndOfTurn(self._script.turn, said, trigger))
        self._script.turn += 1
        self._script.words = ""

    def reports(self, event: UserEvent) -> None:
        """Say anything, in or out of order."""
        self._script.add(event)


class ScriptedNetwork:
    """What lies between the session and the user's ear."""

    def __init__(self) -> None:
        self.reports: Reports | None = None

    def tells_playout(
        self, *, late_s: float = 0.0, every_s: float = 0.1, factor: float = 1.0
    ) -> None:
        """Have the far end tell what it has played; without this the clock has to do.

        With a `factor` it tells something else.
        """
        self.reports = Reports(every_s, late_s, says=lambda played_s: played_s * factor)

    def tells_nothing(self) -> None:
        """Have a far end that promised to tell what it has played, and never does."""
        self.reports = Reports(says=lambda _: None)


class Scenario:
    """Write down what happens, then `play` it, once.

    Args:
        agent: the one under test; else one that answers "You said: ...".
        llm_s: how long the agent thinks before it begins.
        tts_s: how long the voice takes to its first audio, unless another one is given.
        voice: instead of an `ExactVoice`.
        settings: else the defaults, whatever the environment says.
    """

    def __init__(
        self,
        agent: Agent | None = None,
        *,
        llm_s: float = 0.0,
        tts_s: float = 0.0,
        voice: Synthesizer | None = None,
        settings: Settings | None = None,
    ) -> None:
        self._script = _Script()
        self._settings = settings or Settings.model_construct()
        self.user = ScriptedUser(self._script)
        self.flux = ScriptedFlux(self._script)
        self.network = ScriptedNetwork()
        self.llm = Faults("the model")
        self.tts = Faults("the voice")
        self._agent = UnreliableAgent(agent or ScriptedAgent(), llm_s, self.llm)
        self._voice = UnreliableVoice(voice or ExactVoice(tts_s), self._agent, self.tts)

    def advance(self, seconds: float) -> None:
        """Let time pass."""
        self._script.add(_Pause(seconds))

    async def play(self) -> Witness:
        """Run the call to its end. Raises AssertionError if a cue never came."""
        transport = MemoryTransport(reports=self.network.reports)
        tape = Tape()
        director = _Director([*self._script.cues, _Pause(60.0), _HangUp()], transport)
        session = Session(
            cast("Agent", self._agent),
            source=director,
            voice=self._voice,
            transport=transport,
            settings=self._settings,
            listeners=[tape, director],
        )
        try:
            await session.run()
        finally:
            transport.close()
        call = Heard(transport.far_end.sounds, tape.items, session.history)
        witness = Witness(call, session.ledger)
        if director.waited_in_vain:
            waited = f"the user waited {_PATIENCE_S:.0f} s for a sound to speak over"
            raise AssertionError(f"{waited}, and none came\n\n{witness.timeline}")
        return witness


class _Director:
    """Sees to it that everything in the script happens: a source, and a listener besides."""

    def __init__(self, cues: list[_Cue], transport: MemoryTransport) -> None:
        self.waited_in_vain = False
        self._cues = cues
        self._transport = transport
        self._sounding: int | None = None
        self._began_at = 0.0
        self._sound = anyio.Event()  # replaced when what sounded is over

    def hear(self, audio: bytes) -> None:
        """Take no notice."""

    def finish(self) -> None:
        """Take no notice either."""

    def end_turn(self) -> None:
        """Take no notice: the script has its own ends."""

    async def configure(self, change: Change) -> None:
        """Take no notice."""

    def note(self, at: float, item: Item) -> None:
        """Notice when replies begin and cease to sound."""
        match item:
            case PlayoutStarted(reply):
                self._sounding, self._began_at = reply, at
                self._sound.set()
            case ReplyHeard(reply) if reply == self._sounding:
                self._sound = anyio.Event()
            case _:
                pass  # of no interest

    async def run(self, report: Report) -> None:
        """Give one cue after the other."""
        for cue in self._cues:
            match cue:
                case _Pause(seconds):
                    await anyio.sleep(seconds)
                case _FirstSound(after):
                    await self._wait_for_sound(after)
                case DigitPressed():
                    await self._transport.feed(cue)
                case _HangUp():
                    self._transport.hang_up()
                    self._transport.far_end.clear(anyio.current_time())
                    await anyio.sleep_forever()
                case StartOfTurn() | Update() | EagerEndOfTurn() | TurnResumed() | EndOfTurn():
                    report(cue)
                case _:
                    assert_never(cue)

    async def _wait_for_sound(self, after: float) -> None:
        with anyio.move_on_after(_PATIENCE_S) as waiting:
            await self._sound.wait()
            await anyio.sleep_until(self._began_at + after)
        self.waited_in_vain |= waiting.cancelled_caught
