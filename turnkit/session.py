"""The one driver: runs a conversation between a caller and an agent.

It reads the clock, starts tasks and cancels them; who may speak is decided in `turnkit.turn`.
Commands are carried out without awaiting, so that nothing slow stands between an event and what
has to happen at once.
"""

import secrets
from collections.abc import AsyncGenerator, Callable, Coroutine, Sequence
from dataclasses import dataclass
from typing import Any, assert_never

import anyio
import structlog
from anyio.abc import TaskGroup

from turnkit import plug
from turnkit.agent import Agent, Speech, Turn
from turnkit.config import Settings
from turnkit.errors import SourceError, TransportClosed
from turnkit.history import Entry, History
from turnkit.listeners.base import Item, Listener, ReplyHeard
from turnkit.sources.base import TurnSource
from turnkit.speaker import Speaker, Stage, describe
from turnkit.transports.base import DigitPressed, PlayoutReported, Transport
from turnkit.tts.base import Synthesizer
from turnkit.turn.commands import (
    Answer,
    Apology,
    CancelReply,
    CloseTurn,
    Command,
    Prompt,
    Purpose,
    RefusePrompt,
    ReleaseReply,
    StartReply,
)
from turnkit.turn.events import (
    CallEnded,
    DeadlineReached,
    Event,
    PlayoutFinished,
    PlayoutStarted,
    PromptRequested,
    ReplyDeclined,
    ReplyEvent,
    ReplyFailed,
    Update,
)
from turnkit.turn.machine import TurnMachine
from turnkit.turn.policy import TurnPolicy
from turnkit.unruly import run_unruly

log = structlog.get_logger(__name__)

_INBOX_EVENTS = 256
"""More than this at once is no conversation. Updates are dropped then; anything else ends it."""

_FAREWELL_S = 2.0
"""How long the agent's `on_end` may take."""


async def converse(
    agent: Agent, transport: Transport, settings: Settings, listeners: Sequence[Listener] = ()
) -> None:
    """Run one conversation, with the turn source and the voice that the settings name.

    Raises ConfigError if they cannot be had.
    """
    session = Session(
        agent,
        source=plug.open_source(settings, transport.incoming),
        voice=plug.open_voice(settings),
        transport=transport,
        settings=settings,
        listeners=listeners,
    )
    await session.run()


class Session:
    """One conversation. `run` it once."""

    def __init__(  # the seams, by name
        self,
        agent: Agent,
        *,
        source: TurnSource,
        voice: Synthesizer,
        transport: Transport,
        settings: Settings,
        listeners: Sequence[Listener] = (),
    ) -> None:
        self.id = secrets.token_hex(8)
        self._agent = agent
        self._source = source
        self._transport = transport
        self._settings = settings
        self._listeners = list(listeners)
        self._machine = TurnMachine(policy_of(settings))
        self._history = History()
        self._stage = Stage(voice, transport, settings, self._report_reply, self._note)
        self._send, self._inbox = anyio.create_memory_object_stream[Event](_INBOX_EVENTS)
        self._replies: dict[int, _Reply] = {}
        self._errors: dict[int, str] = {}  # by turn: why its answer failed
        self._prompts: dict[int, str] = {}
        self._kept: tuple[int, int, dict[str, object]] | None = None  # turn, attempts, kept
        self._dropped_updates = 0
        self._tasks: TaskGroup

    @property
    def history(self) -> tuple[Entry, ...]:
        """What was heard and done so far."""
        return self._history.entries

    async def run(self) -> None:
        """Converse until the caller hangs up or the turn source is gone."""
        reason = "cancelled"
        try:
            async with anyio.create_task_group() as self._tasks:
                reason = await self._converse()
        finally:
            self._send.close()
            self._inbox.close()
            with anyio.move_on_after(_FAREWELL_S, shield=True):
                await self._hook(lambda: self._agent.on_end(reason))

    async def _converse(self) -> str:
        self._tasks.start_soon(self._transport_in)
        self._tasks.start_soon(self._transport_out)
        self._tasks.start_soon(self._follow_source)
        self._tasks.start_soon(self._greet)
        while True:
            event = await self._next_event()
            self._take(event)
            if isinstance(event, CallEnded):
                self._tasks.cancel_scope.cancel()
                return event.reason

    async def _next_event(self) -> Event:
        """Wait for news, or for the machine's deadline, whichever comes first."""
        with anyio.CancelScope(deadline=self._machine.deadline):
            return await self._inbox.receive()
        return DeadlineReached()

    def _take(self, event: Event) -> None:
        now = anyio.current_time()
        self._note(event)
        for command in self._machine.feed(event, now):
            self._note(command)
            self._execute(command)

    # Commands, carried out without awaiting.

    def _execute(self, command: Command) -> None:
        match command:
            case StartReply(reply, purpose):
                self._start(reply, purpose)
            case ReleaseReply(reply):
                self._release(reply)
            case CancelReply(reply, reason):
                self._cancel(reply, interrupted=reason == "barge_in")
            case CloseTurn(turn, outcome, reason):
                self._errors.pop(turn, None)
                log.info("turn.closed", turn=turn, outcome=outcome, reason=reason)
            case RefusePrompt(prompt):
                self._prompts.pop(prompt, None)
                log.info("prompt.refused", prompt=prompt)
            case _:
                assert_never(command)

    def _start(self, reply: int, purpose: Purpose) -> None:
        turn: Turn | None = None
        match purpose:
            case Answer(index, transcript):
                turn = self._attempt(index, transcript)
                speech = self._agent.reply(turn)
            case Apology(index, reason):
                turn = Turn(index, "", self._history.entries)
                speech = self._apology(turn, self._errors.get(index, reason))
            case Prompt(prompt):
                speech = _words(self._prompts.pop(prompt))
            case _:
                assert_never(purpose)
        speaker = Speaker(reply, speech, self._stage)
        self._replies[reply] = _Reply(speaker, purpose, turn)
        self._tasks.start_soon(speaker.run)

    def _attempt(self, index: int, transcript: str) -> Turn:
        """Make the turn for one more attempt at answering it."""
        if self._kept is None or self._kept[0] != index:
            self._kept = index, 0, {}
        _, attempts, kept = self._kept
        self._kept = index, attempts + 1, kept
        return Turn(
            index,
            transcript,
            self._history.entries,
            attempt=attempts + 1,
            key=f"{self.id}-{index}",
            kept=kept,
        )

    def _decide(self, turn: Turn, *, final: bool) -> None:
        """Tell an attempt its fate, and do what it asked for in that case."""
        for action in turn.decide(final=final):
            try:
                action()
            except Exception as exc:  # agents may raise anything
                log.error("action.failed", error=describe(exc), exc_info=exc)

    def _release(self, number: int) -> None:
        if (reply := self._replies.get(number)) is None:
            return  # it broke down in the meantime, and said so
        if isinstance(reply.purpose, Answer):
            self._history.user_said(reply.purpose.turn, reply.purpose.transcript)
        reply.speaker.release()
        if reply.turn is not None:
            self._decide(reply.turn, final=True)

    def _cancel(self, number: int, *, interrupted: bool) -> None:
        if (reply := self._replies.get(number)) is None:
            return
        reply.speaker.cancel()
        heard, unheard = self._settle(number)
        if interrupted:
            self._tasks.start_soon(
                self._hook, lambda: self._agent.on_interrupted(reply.turn, heard, unheard)
            )

    def _settle(self, number: int) -> tuple[str, str]:
        """Enter into history what was heard of a reply that is over; return heard and unheard."""
        reply = self._replies.pop(number)
        if reply.turn is not None:
            self._decide(reply.turn, final=False)  # unless it is final already
            for use in reply.turn.done if reply.turn.final else ():
                self._history.tool_used(use)
        heard, unheard = reply.speaker.heard_text()
        self._history.agent_said(heard)
        self._note(ReplyHeard(number, heard, unheard))
        return heard, unheard

    # News, from whoever has any.

    def _report(self, event: Event) -> None:
        try:
            self._send.send_nowait(event)
        except anyio.WouldBlock:
            if not isinstance(event, Update):
                raise SourceError(f"more than {_INBOX_EVENTS} events at once") from None
            self._dropped_updates += 1
        except (anyio.ClosedResourceError, anyio.BrokenResourceError):
            log.debug("event.late", event_type=type(event).__name__)

    def _report_reply(self, event: ReplyEvent) -> None:
        match event:
            case PlayoutFinished(number) | ReplyDeclined(number) | ReplyFailed(number):
                if number not in self._replies:
                    return  # cancelled in the same instant
                purpose = self._replies[number].purpose
                if isinstance(event, ReplyFailed) and isinstance(purpose, Answer):
                    self._errors[purpose.turn] = event.reason
                self._settle(number)
            case PlayoutStarted():
                pass
            case _:
                assert_never(event)
        self._report(event)

    async def _transport_in(self) -> None:
        try:
            while True:
                match await self._transport.receive():
                    case bytes() as audio:
                        self._source.hear(audio)
                    case PlayoutReported(reply, played_s):
                        if reply in self._replies:
                            self._replies[reply].speaker.acknowledge(played_s)
                    case DigitPressed(digit):
                        log.debug("digit.ignored", digit=digit)
        except TransportClosed as exc:
            self._report(CallEnded(str(exc) or "hung up"))

    async def _transport_out(self) -> None:
        try:
            await self._transport.run()
        except TransportClosed as exc:
            self._report(CallEnded(str(exc) or "hung up"))

    async def _follow_source(self) -> None:
        try:
            await self._source.run(self._report)
        except SourceError as exc:
            log.error("source.failed", error=str(exc))
            self._report(CallEnded(f"turn source failed: {exc}"))

    def _note(self, item: Item) -> None:
        now = anyio.current_time()
        for listener in list(self._listeners):
            try:
                listener.note(now, item)
            except Exception as exc:  # whoever watches must not be able to disturb
                self._listeners.remove(listener)
                log.error("listener.failed", listener=type(listener).__name__, exc_info=exc)

    # What the agent is asked besides replies.

    async def _greet(self) -> None:
        words: str | None = None

        async def ask() -> None:
            nonlocal words
            words = await self._agent.on_start(self)

        await self._hook(ask)
        if words:
            self._prompts[0] = words
            self._report(PromptRequested(0))

    async def _apology(self, turn: Turn, error: str) -> AsyncGenerator[Speech, None]:
        if words := await self._agent.on_error(turn, error):
            yield words

    async def _hook(self, call: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """Call one of the agent's hooks; what it raises is logged and changes nothing."""
        try:
            await run_unruly(call, self._settings.cancel_grace_s, self._hook_abandoned)
        except Exception as exc:  # agents may raise anything
            log.error("hook.failed", error=describe(exc), exc_info=exc)

    def _hook_abandoned(self) -> None:
        log.error("hook.abandoned", advice="a hook swallows cancellation")


@dataclass(frozen=True, slots=True)
class _Reply:
    """A reply that is not over."""

    speaker: Speaker
    purpose: Purpose
    turn: Turn | None


async def _words(text: str) -> AsyncGenerator[Speech, None]:
    yield text


def policy_of(settings: Settings) -> TurnPolicy:
    """Return the turn machine's part of the settings."""
    return TurnPolicy(
        speculate=settings.speculate != "off",
        max_drafts_per_turn=settings.max_drafts_per_turn,
        draft_deadline_s=settings.draft_deadline_s,
        reply_deadline_s=settings.reply_deadline_s,
        max_reply_s=settings.max_reply_s,
    )
