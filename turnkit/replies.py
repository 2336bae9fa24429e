"""The replies under way: from a command to the speaker, the turn and the history it is about.

It carries out what the turn machine decided, and decides nothing. Nothing in here waits.
"""

from collections.abc import AsyncGenerator, Callable, Coroutine
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias, assert_never
from weakref import ref

import structlog

from turnkit.agent import Agent, Speech, Turn
from turnkit.history import History
from turnkit.listeners.base import ReplyHeard, ReplySpent
from turnkit.speaker import Speaker, Stage, describe
from turnkit.turn.commands import Answer, Apology, CancelReason, Prompt, Purpose
from turnkit.turn.events import ReplyEvent, ReplyFailed

if TYPE_CHECKING:
    from turnkit.session import Session

log = structlog.get_logger(__name__)

MAX_DIGITS = 64
"""More than any number that people key in."""

Spawn: TypeAlias = Callable[[Callable[[], Coroutine[Any, Any, None]]], None]


@dataclass(frozen=True, slots=True)
class _Reply:
    """A reply that is not over."""

    speaker: Speaker
    purpose: Purpose
    turn: Turn | None


class Replies:
    """Starts, releases, pauses and ends replies.

    Args:
        session: the conversation they belong to.
        spawn: starts a task of the conversation.
        hook: starts a call of one of the agent's hooks.
    """

    def __init__(
        self, session: "Session", agent: Agent, stage: Stage, spawn: Spawn, hook: Spawn
    ) -> None:
        self.history = History()
        self.prompts: dict[int, str] = {}
        self.digits = ""
        """The keys pressed since the last turn that was final; the newest `MAX_DIGITS`."""
        self._session = session
        self._agent = agent
        self._stage = stage
        self._spawn = spawn
        self._hook = hook
        self._replies: dict[int, _Reply] = {}
        self._errors: dict[int, str] = {}  # by turn: why its answer failed
        self._kept: tuple[int, int, dict[str, object]] = -1, 0, {}  # turn, attempts, what they keep

    def start(self, number: int, purpose: Purpose) -> None:
        """Begin to prepare a reply, inaudibly."""
        turn: Turn | None = None
        match purpose:
            case Answer(index, transcript):
                turn = self._attempt(number, index, transcript)
                speech = self._answer(turn)
            case Apology(index, reason):
                turn = Turn(index, "", self.history.entries, session=self._session)
                speech = self._apology(turn, self._errors.pop(index, reason))
            case Prompt(prompt):
                speech = _words(self.prompts.pop(prompt))
            case _:
                assert_never(purpose)
        speaker = Speaker(number, speech, self._stage)
        self._replies[number] = _Reply(speaker, purpose, turn)
        speaker.begin()
        self._spawn(speaker.run)

    def release(self, number: int) -> None:
        """Let it be heard: what is due leaves before anything else happens."""
        if (reply := self._replies.get(number)) is None:
            return  # it broke down in the meantime, and said so
        if isinstance(reply.purpose, Answer):
            self.history.user_said(reply.purpose.turn, reply.purpose.transcript)
            self.digits = ""
        reply.speaker.release()
        if reply.turn is not None:
            _decide(reply.turn, final=True)

    def pause(self, number: int) -> None:
        """Stop its sound and keep it."""
        if (reply := self._replies.get(number)) is not None:
            reply.speaker.pause()

    def resume(self, number: int) -> None:
        """Go on where it was paused."""
        if (reply := self._replies.get(number)) is not None:
            reply.speaker.resume()

    def cancel(self, number: int, reason: CancelReason) -> None:
        """Silence it, enter into history what was heard of it, and end its work."""
        if (reply := self._replies.get(number)) is None:
            return
        reply.speaker.cancel()
        heard, unheard = self._settle(number)
        if reason in ("barge_in", "asked"):
            self._hook(lambda: self._agent.on_interrupted(reply.turn, heard, unheard))

    def pressed(self, digit: str) -> None:
        """Keep a key for the turn that is final next."""
        if digit != "#":
            self.digits = (self.digits + digit)[-MAX_DIGITS:]

    def acknowledge(self, number: int, played_s: float) -> None:
        """Take in how much of it the far end has played."""
        if (reply := self._replies.get(number)) is not None:
            reply.speaker.acknowledge(played_s)

    def ended(self, event: ReplyEvent) -> bool:
        """Take in that one ended by itself; return whether that is news."""
        if event.reply not in self._replies:
            return False  # cancelled in the same instant
        purpose = self._replies[event.reply].purpose
        if isinstance(event, ReplyFailed) and isinstance(purpose, Answer):
            self._errors = {purpose.turn: event.reason}
        self._settle(event.reply)
        return True

    def _settle(self, number: int) -> tuple[str, str]:
        """Enter into history what was done and heard; return heard and unheard."""
        reply = self._replies.pop(number)
        if reply.turn is not None:
            _decide(reply.turn, final=False)  # unless it is final already
            for use in reply.turn.done if reply.turn.final else ():
                self.history.tool_used(use)
        heard, unheard = reply.speaker.heard_text()
        self.history.agent_said(heard)
        estimated = reply.speaker.heard_is_estimate()
        self._stage.note(ReplyHeard(number, heard, unheard, estimated))
        return heard, unheard

    def _attempt(self, number: int, index: int, transcript: str) -> Turn:
        """Make the turn for one more attempt at answering it."""
        newest, attempts, kept = self._kept
        if newest != index:
            attempts, kept = 0, {}
        self._kept = index, attempts + 1, kept

        def spend(tokens: int) -> None:
            self._stage.note(ReplySpent(number, tokens=tokens))
            if (turn := attempt()) is not None and turn.speculative:
                self._stage.spent(tokens, 0)

        turn = Turn(
            index,
            transcript,
            self.history.entries,
            attempt=attempts + 1,
            key=f"{self._session.id}-{index}",
            kept=kept,
            digits=self.digits,
            session=self._session,
            spend=spend,
        )
        attempt = ref(turn)  # they would keep each other until a collection of garbage
        return turn

    def _answer(self, turn: Turn) -> AsyncGenerator[Speech, None]:
        try:
            return self._agent.reply(turn)
        except Exception as exc:  # noqa: BLE001  # a `reply` that is no generator may do anything
            return _broken(exc)

    async def _apology(self, turn: Turn, error: str) -> AsyncGenerator[Speech, None]:
        if words := await self._agent.on_error(turn, error):
            yield words


async def _words(text: str) -> AsyncGenerator[Speech, None]:
    yield text


async def _broken(error: Exception) -> AsyncGenerator[Speech, None]:
    raise error
    yield ""  # which makes this a generator


def _decide(turn: Turn, *, final: bool) -> None:
    """Tell an attempt its fate, and do what it asked for in that case."""
    for action in turn.decide(final=final):
        try:
            action()
        except Exception as exc:  # agents may raise anything
            log.error("action.failed", error=describe(exc), exc_info=exc)
