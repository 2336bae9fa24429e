"""Runs tools as the model asks for them, so that a guess does no harm and nothing is done twice.

What went wrong is a result like any other, for the model to deal with: it never ends the reply.
"""

import inspect
from collections.abc import Mapping
from dataclasses import dataclass, replace
from hashlib import sha256

import anyio
import msgspec
import structlog

from turnkit.agent import Agent, Turn
from turnkit.history import ToolUse
from turnkit.llm.base import ToolCall
from turnkit.tools import KEY, NAME, Tool, tools_of
from turnkit.unruly import run_unruly

log = structlog.get_logger(__name__)

_GRACE_S = 0.5
_UNDO_S = 1.0
"""Together less than the 2 s in which a cancelled reply has to end."""

_LONGEST_RESULT_CHARS = 16_000  # some 4,000 tokens; more would crowd out the conversation
_CUT_SHORT = "it was cut short; nobody knows whether it took effect"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a request for a tool."""

    use: ToolUse
    ok: bool = True
    successor: Agent | None = None
    """Who takes over, where the tool returned an agent."""


class Toolbox:
    """The tools of one agent, used by its rules."""

    def __init__(self, agent: Agent) -> None:
        self._agent = agent
        self._tools = tools_of(type(agent))
        self.specs = tuple(found.spec for found in self._tools.values())

    def is_pure(self, call: ToolCall) -> bool:
        """Whether this may run before the turn is final, and beside others."""
        return call.name not in self._tools or self._tools[call.name].effect == "pure"

    def words_for(self, call: ToolCall, turn: Turn) -> str | None:
        """Return what to say while this runs; None if there is nothing to wait for."""
        if call.name not in self._tools or self._tools[call.name].while_running is None:
            return None
        prepared = self._prepare(call, turn)
        waits = isinstance(prepared, _Job) and prepared.key not in turn.kept
        return self._tools[call.name].while_running if waits else None

    async def run(self, call: ToolCall, turn: Turn) -> Outcome:
        """Do what the model asks for, and enter it into `turn.done`. Raises no Exception."""
        match self._prepare(call, turn):
            case Outcome() as refused:
                return refused
            case job if job.tool.effect == "pure":
                return await self._run_pure(job, turn)
            case job:
                return await self._run_commit(job, turn)

    async def _run_pure(self, job: "_Job", turn: Turn) -> Outcome:
        outcome = _kept(job, turn) or await self._perform(job)
        if outcome.ok:
            turn.kept[job.key] = outcome
            turn.done.append(outcome.use)
        return outcome

    async def _run_commit(self, job: "_Job", turn: Turn) -> Outcome:
        await turn.settled()
        if outcome := _kept(job, turn):
            turn.done.append(outcome.use)
            return outcome
        # Entered before it begins: the session may take `done` at any time from now on.
        place = len(turn.done)
        turn.kept[job.key] = unknown = job.failed(_CUT_SHORT)
        turn.done.append(unknown.use)
        try:
            outcome = await self._perform(job)
        except anyio.get_cancelled_exc_class():
            with anyio.CancelScope(shield=True):
                await self._undo(job)
            raise
        turn.kept[job.key] = outcome
        turn.done[place] = outcome.use
        return outcome

    async def _perform(self, job: "_Job") -> Outcome:
        returned: list[object] = []

        async def work() -> None:
            returned.append(await getattr(self._agent, job.name)(**job.given))

        with anyio.move_on_after(job.tool.timeout_s):
            try:
                await run_unruly(work, _GRACE_S, lambda: log.error("tool.stuck", tool=job.name))
            except Exception as exc:  # tools may raise anything; the model is told
                log.error("tool.failed", tool=job.name, error=_describe(exc), exc_info=exc)
                return job.failed(_describe(exc))
            return job.finished(returned[0])
        log.error("tool.timed_out", tool=job.name, timeout_s=job.tool.timeout_s)
        undone = await self._undo(job)
        after = f"it did not finish within {job.tool.timeout_s:g} s"
        return job.failed(f"{after} and was taken back" if undone else f"{after}; {_CUT_SHORT}")

    async def _undo(self, job: "_Job") -> bool:
        """Take back what may have been done; return whether that is certain."""
        if job.tool.undo is None:
            return False
        method = getattr(self._agent, job.tool.undo)
        known = {**job.arguments, KEY: job.key}
        given = {name: known[name] for name in inspect.signature(method).parameters}
        with anyio.move_on_after(_UNDO_S):
            try:
                await method(**given)
            except Exception as exc:  # it may raise anything; nobody else can deal with it
                log.error("tool.undo_failed", tool=job.name, error=_describe(exc), exc_info=exc)
                return False
            log.warning("tool.undone", tool=job.name)
            return True
        log.error("tool.undo_failed", tool=job.name, error=f"it took more than {_UNDO_S:g} s")
        return False

    def _prepare(self, call: ToolCall, turn: Turn) -> "_Job | Outcome":
        """Check a request against the tool's signature."""
        found = self._tools.get(call.name)
        if found is None:
            known = ", ".join(self._tools) or "none at all"
            return _refused(call, turn, f"there is no such tool; there are: {known}")
        try:
            read = msgspec.json.decode(call.arguments, type=found.arguments, strict=False)
        except (msgspec.MsgspecError, UnicodeError) as exc:
            return _refused(call, turn, f"these arguments do not fit: {exc}")
        written = msgspec.json.encode(read, order="deterministic").decode()
        digest = sha256(f"{type(self._agent).__qualname__} {written}".encode()).hexdigest()[:12]
        arguments = {name: getattr(read, name) for name in read.__struct_fields__}
        return _Job(found, call.name, written, arguments, f"{turn.key}-{call.name}-{digest}")


@dataclass(frozen=True, slots=True)
class _Job:
    """A request for a tool that is in order."""

    tool: Tool
    name: str
    written: str
    arguments: Mapping[str, object]
    key: str

    @property
    def given(self) -> dict[str, object]:
        return {**self.arguments, KEY: self.key} if self.tool.takes_key else {**self.arguments}

    def finished(self, value: object) -> Outcome:
        if isinstance(value, Agent):
            return replace(self.finished({"handed_over_to": type(value).__name__}), successor=value)
        result = msgspec.json.encode(value, enc_hook=str).decode()
        if len(result) > _LONGEST_RESULT_CHARS:
            log.warning("tool.result_cut", tool=self.name, characters=len(result))
        return Outcome(
            ToolUse(self.name, self.written, result[:_LONGEST_RESULT_CHARS], key=self.key)
        )

    def failed(self, error: str) -> Outcome:
        return Outcome(ToolUse(self.name, self.written, _error(error), key=self.key), ok=False)


def _kept(job: _Job, turn: Turn) -> Outcome | None:
    kept = turn.kept.get(job.key)
    return kept if isinstance(kept, Outcome) else None


def _refused(call: ToolCall, turn: Turn, error: str) -> Outcome:
    """Answer a request that is not in order, in a form that every server takes back."""
    name = call.name if NAME.fullmatch(call.name) else "unknown"
    log.warning("tool.refused", tool=name)
    log.debug("tool.refused", tool=name, pii_error=error)
    digest = sha256(call.arguments.encode(errors="replace")).hexdigest()[:12]
    arguments = call.arguments if _is_object(call.arguments) else "{}"
    key = f"{turn.key}-{name}-{digest}"
    return Outcome(ToolUse(name, arguments, _error(error), key=key), ok=False)


def _is_object(text: str) -> bool:
    try:
        msgspec.json.decode(text, type=dict[str, object])
    except (msgspec.MsgspecError, UnicodeError):
        return False
    return True


def _error(error: str) -> str:
    return msgspec.json.encode({"error": error}).decode()


def _describe(error: Exception) -> str:
    return f"{type(error).__name__}: {error}".partition("\n")[0][:200]
