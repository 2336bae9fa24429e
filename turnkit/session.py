"""The one driver: runs a conversation between a caller and an agent.

It reads the clock, starts tasks and cancels them; who may speak is decided in `turnkit.turn`.
Events are taken in, and commands carried out, in the moment they are reported and without awaiting:
nothing slow stands between an event and what has to happen at once, and no queue can grow. What is
reported meanwhile has its turn right after; who watches is told once all that has happened.
"""

import secrets
from collections import deque
from collections.abc import Callable, Coroutine, Sequence
from contextlib import closing
from contextvars import copy_context
from functools import partial
from math import inf
from typing import Any, assert_never

import anyio
import anyio.lowlevel
import structlog
from anyio.abc import TaskGroup

from turnkit import clock, plug
from turnkit.agent import Agent
from turnkit.bell import Bell
from turnkit.config import Settings
from turnkit.errors import SourceError, SourceRefused, TransportClosed
from turnkit.history import Entry
from turnkit.ledger import Ledger
from turnkit.listeners.base import Item, Listener, UserAcknowledged
from turnkit.listeners.trace import Trace
from turnkit.replies import Replies
from turnkit.rules import limits_of, policy_of
from turnkit.sources.base import DICTATION, Change, TurnSource, UserNews
from turnkit.speaker import Stage, describe
from turnkit.transports.base import (
    DigitPressed,
    EndTurnRequested,
    Incoming,
    PlayoutReported,
    Transport,
)
from turnkit.transports.overheard import overheard
from turnkit.tts.base import Synthesizer, keep_warm
from turnkit.turn.budget import Budget
from turnkit.turn.commands import (
    AskIdle,
    CancelReply,
    CloseTurn,
    Command,
    PauseReply,
    RefusePrompt,
    ReleaseReply,
    ResumeReply,
    SkipDraft,
    StartReply,
)
from turnkit.turn.events import (
    CallEnded,
    DeadlineReached,
    EndOfTurn,
    Event,
    InterruptRequested,
    PlayoutFinished,
    PlayoutStarted,
    PromptRequested,
    ReplyDeclined,
    ReplyEvent,
    ReplyFailed,
)
from turnkit.turn.machine import TurnMachine
from turnkit.unruly import run_unruly

log = structlog.get_logger(__name__)

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
    if settings.trace is None:
        await session.run()
        return
    trace = Trace(settings.trace / f"{session.id}.jsonl")
    session.add_listener(trace)
    with closing(trace):
        await session.run()


class Session:
    """One conversation. `run` it once.

    What an agent may ask of it (`say`, `interrupt`) is asked and not awaited.
    """

    def __init__(
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
        self._grace_s = settings.cancel_grace_s
        self._ledger = Ledger()
        self._listeners: list[Listener] = [self._ledger, *listeners]
        self._budget = Budget(limits_of(settings))
        self._machine = TurnMachine(policy_of(settings), self._budget)
        stage = Stage(
            voice=voice,
            transport=overheard(transport, source),
            settings=settings,
            report=self._report_reply,
            note=self._note,
            spent=self._spent,
            busy=self._busy,
            afterwards=self._afterwards,
        )
        self._replies = Replies(self, agent, stage, self._spawn, self._spawn_hook)
        agent.prepare(settings)
        self._events: deque[Event] = deque()
        self._taking = False
        self._waiting: deque[Callable[[], object]] = deque()
        self._end: str | None = None  # why the conversation is over
        self._news = Bell()
        self._alarm_at = inf  # until when we wait for news
        self._prompts = 0
        self._voice = voice
        self._prices = settings.price_per_million_tokens, settings.price_per_million_characters
        self._usual = Change(
            eager_eot_threshold=settings.eager_eot_threshold,
            eot_threshold=settings.eot_threshold,
            eot_timeout_ms=settings.eot_timeout_ms,
        )
        self._expecting: float = inf  # the last turn before the one listened to differently
        self._tasks: TaskGroup

    @property
    def history(self) -> tuple[Entry, ...]:
        """What was heard and done so far."""
        return self._replies.history.entries

    @property
    def ledger(self) -> Ledger:
        """How every turn ended, and what speculation cost and gained, as it stands."""
        self._catch_up()
        return self._ledger

    def add_listener(self, listener: Listener) -> None:
        """Have one more watch, from now on."""
        self._listeners.append(listener)

    def say(self, text: str, *, patient: bool = True, interruptible: bool = True) -> None:
        """Speak without having been spoken to, once nobody has the floor.

        Args:
            text: the words.
            patient: wait for the floor, rather than be dropped if somebody has it now.
            interruptible: whether the user can cut it short. If not, they are answered after it.
        """
        self._prompts += 1
        self._replies.prompts[self._prompts] = text
        self._report(PromptRequested(self._prompts, patient, interruptible))

    def interrupt(self, reason: str = "the agent asked for it") -> None:
        """Stop what is being said or prepared."""
        self._report(InterruptRequested(reason))

    def end_turn(self) -> None:
        """Take the user's turn as over now, on what was heard of it so far."""
        try:
            self._source.end_turn()
        except SourceRefused as exc:
            log.warning("turn.not_ended", reason=str(exc))

    async def configure(self, change: Change) -> None:
        """Change how the source listens, from now on; returns once that is in force.

        Raises ConfigureRefused, and everything is as before; or SourceLost if no answer came.
        """
        await self._source.configure(change)

    def expect(self, change: Change = DICTATION) -> None:
        """Listen differently to the next turn alone, for example while a number is dictated."""
        self._expecting = self._machine.settled_turn
        self._spawn_hook(partial(self.configure, change))

    async def run(self) -> None:
        """Converse until the caller hangs up or the turn source is gone."""
        reason = "cancelled"
        try:
            async with anyio.create_task_group() as self._tasks:
                try:
                    reason = await self._converse()
                finally:
                    self._end = self._end or reason
                    self._catch_up()  # a reply that has begun is to be seen to its end
        finally:
            self._catch_up()
            self._tell_account()
            with anyio.move_on_after(_FAREWELL_S, shield=True):
                await self._hook(lambda: self._agent.on_end(reason))

    def _tell_account(self) -> None:
        """Log what the call came to: outcomes, what speculation gained, what it cost."""
        log.info("call.account", **self.ledger.totals.account(*self._prices))

    async def _converse(self) -> str:
        self._spawn(self._transport_in)
        self._spawn(self._transport_out)
        self._spawn(self._follow_source)
        self._spawn(partial(keep_warm, self._voice, self._transport.outgoing_hz))
        self._spawn_hook(self._ask_to_start)
        while self._end is None:
            self._catch_up()
            if clock.now() >= self._machine.deadline:
                self._report(DeadlineReached())
                await anyio.lowlevel.checkpoint()
                continue
            self._alarm_at = self._machine.deadline
            await self._news.wait(self._alarm_at)
        self._tasks.cancel_scope.cancel()
        return self._end

    def _take(self, event: Event) -> None:
        if self._end is not None:
            log.debug("event.late", event_type=type(event).__name__)
            return
        self._note(event)
        for command in self._machine.feed(event, clock.now()):
            self._note(command)
            self._execute(command)
        if isinstance(event, EndOfTurn) and event.turn > self._expecting:
            self._expecting = inf
            self._spawn_hook(partial(self.configure, self._usual))
        if isinstance(event, CallEnded):
            self._end = event.reason

    def _execute(self, command: Command) -> None:
        """Carry out a command, without awaiting."""
        match command:
            case StartReply(reply, purpose):
                self._replies.start(reply, purpose)
            case ReleaseReply(reply):
                self._replies.release(reply)
            case CancelReply(reply, reason):
                self._replies.cancel(reply, reason)
            case PauseReply(reply):
                self._replies.pause(reply)
            case ResumeReply(reply):
                self._replies.resume(reply)
            case CloseTurn(turn, outcome, reason):
                log.info("turn.closed", turn=turn, outcome=outcome, reason=reason)
            case SkipDraft(turn, reason):
                log.info("draft.skipped", turn=turn, reason=reason)
            case AskIdle():
                self._spawn_hook(self._ask_when_idle)
            case RefusePrompt(prompt):
                self._replies.prompts.pop(prompt, None)
                log.info("prompt.refused", prompt=prompt)
            case _:
                assert_never(command)

    # News, from whoever has any.

    def _report(self, event: Event) -> None:
        """Take in an event now; one that comes of another is taken in after it."""
        self._events.append(event)
        if self._taking:
            return
        self._taking = True
        try:
            while self._events:
                self._take(self._events.popleft())
        finally:
            self._taking = False
        if self._waiting or self._end is not None or self._machine.deadline < self._alarm_at:
            self._news.ring()  # only now: what was started for the events goes first

    def _report_user(self, event: UserNews) -> None:
        if isinstance(event, UserAcknowledged):
            self._note(event)  # the agent goes on: nothing to decide
        else:
            self._report(event)

    def _report_reply(self, event: ReplyEvent) -> None:
        match event:
            case PlayoutStarted():
                self._report(event)
            case PlayoutFinished() | ReplyDeclined() | ReplyFailed():
                if self._replies.ended(event):
                    self._report(event)
            case _:
                assert_never(event)

    def _spent(self, tokens: int, characters: int) -> None:
        self._budget.spent(clock.now(), tokens=tokens, characters=characters)

    def _busy(self, seconds: float) -> None:
        self._budget.pause(clock.now() + seconds)

    async def _transport_in(self) -> None:
        context = copy_context()  # or what comes of it would be logged as of no call
        self._transport.pass_to(lambda news: context.run(self._take_in, news))
        try:
            while True:
                self._take_in(await self._transport.receive())
        except TransportClosed as exc:
            self._report(CallEnded(str(exc) or "hung up"))

    def _take_in(self, news: Incoming) -> None:
        match news:
            case bytes():
                self._source.hear(news)
            case PlayoutReported(reply, played_s):
                self._replies.acknowledge(reply, played_s)
            case DigitPressed(digit):
                self._replies.pressed(digit)
                self._spawn_hook(partial(self._digit, digit))
            case EndTurnRequested():
                self.end_turn()
            case unreachable:
                assert_never(unreachable)

    async def _transport_out(self) -> None:
        try:
            await self._transport.run()
        except TransportClosed as exc:
            self._report(CallEnded(str(exc) or "hung up"))

    async def _follow_source(self) -> None:
        try:
            await self._source.run(self._report_user)
        except SourceError as exc:
            log.error("source.failed", error=str(exc))
            self._report(CallEnded(f"turn source failed: {exc}"))

    def _note(self, item: Item) -> None:
        """Have the listeners told; they can wait, and the user does not."""
        self._afterwards(partial(self._tell, clock.now(), item))

    def _tell(self, at: float, item: Item) -> None:
        for listener in list(self._listeners):
            try:
                listener.note(at, item)
            except Exception as exc:  # whoever watches must not be able to disturb
                self._listeners.remove(listener)
                log.error("listener.failed", listener=type(listener).__name__, exc_info=exc)

    # What can wait.

    def _afterwards(self, work: Callable[[], object]) -> None:
        """Have the session's own task do this, which is when the event loop comes round.

        Between an event and what the user hears of it every call counts.
        """
        self._waiting.append(work)
        if not self._taking:
            self._news.ring()

    def _catch_up(self) -> None:
        while self._waiting:
            self._waiting.popleft()()

    # What the agent is asked besides replies.

    async def _ask_to_start(self) -> None:
        if words := await self._agent.on_start(self):
            self.say(words, patient=False)

    async def _ask_when_idle(self) -> None:
        if words := await self._agent.on_idle(self):
            self.say(words, patient=False)

    async def _digit(self, digit: str) -> None:
        if words := await self._agent.on_digit(self, digit):
            self.say(words)

    async def _hook(self, call: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """Call one of the agent's hooks; what it raises is logged and changes nothing."""
        try:
            await run_unruly(call, self._grace_s, _hook_abandoned)
        except Exception as exc:  # agents may raise anything
            log.error("hook.failed", error=describe(exc), exc_info=exc)

    def _spawn(self, work: Callable[[], Coroutine[Any, Any, None]]) -> None:
        if self._end is None:  # or there would be nobody to see it through
            self._afterwards(partial(self._tasks.start_soon, work))

    def _spawn_hook(self, call: Callable[[], Coroutine[Any, Any, None]]) -> None:
        self._spawn(partial(self._hook, call))


def _hook_abandoned() -> None:
    log.error("hook.abandoned", advice="a hook swallows cancellation")
