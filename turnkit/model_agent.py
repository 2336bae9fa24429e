"""An agent that a model speaks for: instructions, tools, and the loop between them.

    class Bookings(ModelAgent):
        instructions = "You take bookings for a restaurant, by telephone. Be brief."

        @tool(effect="pure")
        async def free_tables(self, day: str) -> list[str]:
            \"\"\"List the tables that are free.\"\"\"

The model and its tools work in a task of their own, so that words can be said while a tool runs.
"""

from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import aclosing
from functools import cached_property, partial
from itertools import takewhile
from operator import is_
from typing import Any, Final, TypeAlias, assert_never

import anyio
import structlog

from turnkit import clock, config, plug
from turnkit.agent import Agent, Turn
from turnkit.config import Settings
from turnkit.desk import HandOver
from turnkit.errand import errand
from turnkit.errors import ModelError
from turnkit.handing import hand_on
from turnkit.history import Entry, Message, ToolUse
from turnkit.llm.base import (
    Busy,
    Delta,
    Finish,
    Instructions,
    Item,
    Model,
    Text,
    ToolCall,
    ToolSpec,
)
from turnkit.llm.scripted import Request, ScriptedModel, Step
from turnkit.toolbox import Outcome, Toolbox
from turnkit.tools import tools_of

log = structlog.get_logger(__name__)

Say: TypeAlias = Callable[[str], Awaitable[None]]

_OFFLINE: Final = "scripted"
_WAITING_PIECES = 64
"""Words that wait to be taken; when that many do, the model has to wait too."""
_MOST_CALLS = 8
"""Requests for tools in one answer; what goes beyond is left out."""
_SILENCE_S = 1.5
"""How long a tool may run before the user is told to wait, if nothing else was said."""
_HISTORY = "model_agent.history"


class ModelAgent(Agent):
    """Answers with what a model says.

    Args:
        model: who thinks. Without one, the settings decide: `llm`, by default a script that needs
            no key (see `offline`).
    """

    instructions: str = "You are on the telephone. Answer in one or two short spoken sentences."
    """Who the model is to be. It may be a property."""
    one_moment: str = "One moment, please."
    """What to say when a tool takes its time and nothing was said yet.

    It may be empty, but a reply that stays silent is given up (`draft_deadline_s`).
    """
    max_rounds: int = 5
    """How often the model may ask for tools in one reply; then it must answer without."""

    _model: Model | None = None
    _settings: Settings | None = None
    _last_told: Instructions | None = None

    def __init__(self, model: Model | None = None) -> None:
        self._model = model

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        tools_of(cls)  # a tool that cannot be described is an error here, not in a call

    def prepare(self, settings: Settings) -> None:
        """Take in the settings of the call and open the model. Raises ConfigError."""
        if self._model is None:
            scripted = settings.llm == _OFFLINE
            self._model = ScriptedModel(self.offline) if scripted else plug.open_model(settings)
        self._settings = settings

    def offline(self, request: Request) -> Sequence[Step]:
        """Answer by rule where no model is set; override this for an agent that needs none."""
        return [f"You said: {request.transcript}. Set llm to openai for an agent that thinks."]

    async def reply(self, turn: Turn) -> AsyncGenerator[str, None]:
        """Yield what the model says. Raises ModelError, and HandOver where a tool asks for it."""
        answer = _Answer(turn)
        messages: list[Item] = [self._told, *_history_before(turn)]
        messages += [Message("user", turn.transcript), *turn.done]
        first = _Round(messages, self._toolbox.specs)
        async with aclosing(self._ask(first, answer)) as words:
            async for piece in words:
                yield piece
        if first.calls:
            async with aclosing(self._go_on(first, answer)) as words:
                async for piece in words:
                    yield piece

    # One reply.

    async def _go_on(self, first: "_Round", answer: "_Answer") -> AsyncGenerator[str, None]:
        """Use tools and ask again, in a task beside, so that words can be said meanwhile."""
        say, said = anyio.create_memory_object_stream[str](_WAITING_PIECES)
        answer.speaks_through(partial(hand_on, say))

        async def work() -> None:
            with say:
                await self._use_and_ask(first, answer)

        with say, said:
            async with errand(work) as rest:
                async for words in said:
                    yield words
                await rest.ended()

    async def _use_and_ask(self, asked: "_Round", answer: "_Answer") -> None:
        messages = asked.messages
        for left in reversed(range(self.max_rounds)):
            if asked.text:
                messages.append(Message("agent", asked.text))
            for outcome in await self._use(asked.calls, answer, announced=bool(asked.text)):
                if outcome.successor is not None:
                    raise HandOver(outcome.successor)
                messages.append(outcome.use)
            asked = _Round(messages, self._toolbox.specs if left else ())
            async with aclosing(self._ask(asked, answer)) as words:
                async for piece in words:
                    await answer.pass_on(piece)
            if not asked.calls:
                return
        if not asked.text:
            raise ModelError("the model asked for tools and never answered", "nonsense")

    async def _ask(self, asked: "_Round", answer: "_Answer") -> AsyncGenerator[str, None]:
        """Yield one answer of the model's as it comes; note its words, and the tools it wants.

        The model is asked once more if it failed at once and the user is waiting.
        """
        model, settings = self._prepared()
        before = answer.characters
        for again in (True, False):
            heard = _Heard(self._weight.tokens(asked.messages))
            answer.turn.spent(heard.prompt_tokens)  # whatever becomes of it, however soon
            patience_s = settings.first_token_s
            try:
                async with aclosing(model.stream(asked.messages, asked.tools)) as deltas:
                    while heard.end is None:
                        delta = await _next(deltas, patience_s)
                        patience_s = settings.token_stall_s
                        if words := answer.count(heard.take(delta)):
                            yield words
                _check(heard, answer)
            except ModelError as exc:
                retry = exc.fault in {"lost", "nonsense"} and answer.turn.final
                if not (again and retry) or answer.characters != before:
                    raise  # a guess is tried afresh by the session, if it is needed at all
                log.warning("model.asked_again", reason=str(exc), fault=exc.fault)
            else:
                asked.text, asked.calls = heard.text.strip(), heard.calls
                return
            finally:
                answer.turn.spent(heard.further_tokens)

    async def _use(
        self, calls: list[ToolCall], answer: "_Answer", *, announced: bool
    ) -> list[Outcome]:
        """Use tools: pure ones side by side, the others one after another, as asked for."""
        calls = calls[:_MOST_CALLS]
        outcomes: dict[int, Outcome] = {}

        async def use(*places: int) -> None:
            for place in places:
                outcomes[place] = await self._toolbox.run(calls[place], answer.turn)

        pure = [n for n, call in enumerate(calls) if self._toolbox.is_pure(call)]
        others = [n for n in range(len(calls)) if n not in pure]
        words = (self._toolbox.words_for(call, answer.turn) for call in calls)
        await answer.say("" if announced else next(filter(None, words), ""))
        if answer.characters:
            await answer.say("\n")  # what was said is complete, whatever mark it ended on
        async with anyio.create_task_group() as waiting:
            waiting.start_soon(self._break_the_silence, answer)
            async with anyio.create_task_group() as uses:
                for place in pure:
                    uses.start_soon(use, place)
                uses.start_soon(use, *others)
            waiting.cancel_scope.cancel()
        return [outcomes[place] for place in range(len(calls))]

    async def _break_the_silence(self, answer: "_Answer") -> None:
        await answer.turn.settled()
        await anyio.sleep(_SILENCE_S)
        if not answer.characters:
            await answer.say(f"{self.one_moment}\n")

    # What is made once.

    def _prepared(self) -> tuple[Model, Settings]:
        if self._settings is None:  # nobody called `prepare`
            self.prepare(config.load())
        assert self._settings is not None
        assert self._model is not None
        return self._model, self._settings

    @cached_property
    def _toolbox(self) -> Toolbox:
        return Toolbox(self)

    @cached_property
    def _weight(self) -> "_Weight":
        return _Weight()

    @property
    def _told(self) -> Instructions:
        """The same object as long as the words are the same: see `Model.stream`."""
        if self._last_told is None or self._last_told.text != self.instructions:
            self._last_told = Instructions(self.instructions)
        return self._last_told


class _Round:
    """One request to the model, and what came of it."""

    def __init__(self, messages: list[Item], tools: Sequence[ToolSpec]) -> None:
        self.messages = messages
        self.tools = tools
        self.text = ""
        self.calls: list[ToolCall] = []


class _Answer:
    """One attempt at a turn, and how much it has said."""

    def __init__(self, turn: Turn) -> None:
        self.turn = turn
        self.characters = 0
        self._say: Say | None = None

    def speaks_through(self, say: Say) -> None:
        """Speak words beside those of the model from now on."""
        self._say = say

    def count(self, words: str) -> str:
        """Take note of words that are about to be spoken."""
        self.characters += len(words.strip())
        return words

    async def say(self, words: str) -> None:
        """Speak, when the voice gets to it."""
        await self.pass_on(self.count(words))

    async def pass_on(self, words: str) -> None:
        """Speak words that were counted."""
        assert self._say is not None
        if words:
            await self._say(words)


class _Heard:
    """One answer of the model's, as far as it has come."""

    def __init__(self, prompt_tokens: int) -> None:
        self.text = ""
        self.calls: list[ToolCall] = []
        self.end: Finish | None = None
        self.prompt_tokens = prompt_tokens  # estimated
        self._tokens = 0

    def take(self, delta: Delta) -> str:
        """Take in what the model said; return what is to be spoken."""
        self._tokens += 1  # about: most servers send each token by itself
        match delta:
            case Text(text):
                self.text += text
                return text
            case ToolCall():
                self.calls.append(delta)
            case Busy():
                pass  # alive, which is all we wanted to know
            case Finish():
                self.end = delta
                self._tokens -= 1
            case _:
                assert_never(delta)
        return ""

    @property
    def further_tokens(self) -> int:
        """What it cost beyond the estimate: as the model says, or as we count."""
        prompt, words = self.prompt_tokens, self._tokens
        if self.end is not None:
            prompt = prompt if self.end.prompt_tokens is None else self.end.prompt_tokens
            words = words if self.end.completion_tokens is None else self.end.completion_tokens
        return max(0, prompt + words - self.prompt_tokens)


async def _next(deltas: AsyncGenerator[Delta, None], patience_s: float) -> Delta:
    """Return what the model says next. Raises ModelError if it does not."""
    limit = clock.limit(patience_s)
    try:
        async with limit:
            return await anext(deltas)
    except StopAsyncIteration:
        raise ModelError("the answer ended early") from None
    except TimeoutError:
        if not limit.expired():
            raise  # the model's own
        raise ModelError(f"the model was silent for {patience_s:g} s", "slow") from None


class _Weight:
    """Estimates what requests cost: four characters a token, as English mostly has it.

    What was weighed for one request is not weighed again for the next, however long the history.
    """

    def __init__(self) -> None:
        self._items: list[Item] = []
        self._totals = [0]  # characters before each item, and after the last

    def tokens(self, messages: Sequence[Item]) -> int:
        known = sum(takewhile(bool, map(is_, self._items, messages)))
        del self._items[known:], self._totals[known + 1 :]
        for item in messages[known:]:
            self._items.append(item)
            text = item.result if isinstance(item, ToolUse) else item.text
            self._totals.append(self._totals[-1] + len(text))
        return self._totals[-1] // 4


def _check(heard: _Heard, answer: _Answer) -> None:
    """Take note of how an answer ended; one without a word is none, unless some came before."""
    assert heard.end is not None
    log.debug("model.finished", reason=heard.end.reason, tokens=heard.further_tokens)
    if heard.text.strip() or heard.calls or answer.characters:
        return
    if heard.end.reason == "filter":
        raise ModelError("the model's content filter left nothing of the answer", "refused")
    raise ModelError("the model answered with nothing", "nonsense")


def _history_before(turn: Turn) -> Sequence[Entry]:
    """Return the history as the first attempt at this turn saw it.

    A later attempt may find the turn itself in it, for the user was heard.
    """
    before = turn.kept.setdefault(_HISTORY, turn.history)
    assert isinstance(before, tuple)
    return before
