"""Whole conversations with a model that follows a script, on virtual time."""

import anyio
import msgspec
import pytest

from turnkit import config
from turnkit.agent import Turn
from turnkit.config import Settings
from turnkit.errors import ConfigError, ModelError
from turnkit.history import Message, ToolUse
from turnkit.llm.base import Busy, Finish, Instructions, Text, ToolCall
from turnkit.llm.scripted import Cut, Pause, ScriptedModel, in_order
from turnkit.model_agent import ModelAgent
from turnkit.testing import ExactVoice, breaches, play
from turnkit.tools import tool
from turnkit.turn.commands import CloseTurn
from turnkit.turn.events import EagerEndOfTurn, EndOfTurn, ReplyFailed, StartOfTurn, TurnResumed

pytestmark = pytest.mark.anyio

BOOK = "book a table"
EAGER, END = EagerEndOfTurn(0, BOOK), EndOfTurn(0, BOOK)
SORRY = "Sorry, something went wrong on my side. Could you say that again?"
CONFIRMED = ((0.0, StartOfTurn(0)), (1.0, EAGER), (2.0, END))


class Clerk(ModelAgent):
    """Has one tool of each kind; both take half a second."""

    instructions = "You book tables."

    def __init__(self, *answers, **timing):
        super().__init__(ScriptedModel(in_order(*answers), **timing))
        self.log = []

    @tool(effect="pure")
    async def look(self, day: str = "today") -> str:
        self.log.append((anyio.current_time(), f"look {day}"))
        await anyio.sleep(0.5)
        return "free"

    @tool
    async def book(self, day: str = "today") -> str:
        self.log.append((anyio.current_time(), f"book {day}"))
        await anyio.sleep(0.5)
        return "booked"

    @property
    def done(self):
        return [(round(at, 6), what) for at, what in self.log]

    @property
    def requests(self):
        return list(self._model.requests)


LOOK, BOOK_IT = ToolCall("look"), ToolCall("book")


def said(heard):
    return [e.text for e in heard.history if isinstance(e, Message) and e.role == "agent"]


def why(heard):
    return [item.reason for _, item in heard.items(CloseTurn)]


# When the first sound leaves.


@pytest.mark.parametrize(
    ("eager_at", "end_at", "first_sound_at"),
    [
        (1.0, 2.0, 2.0),  # ready before the end
        (1.0, 1.3, 1.3),
        (1.0, 1.24, 1.24),
        (1.0, 1.2, 1.24),  # two tokens make a clause: 150 ms, 10 ms, and 80 ms for the voice
        (1.0, 1.0, 1.24),
    ],
)
async def test_the_first_sound_leaves_when_the_turn_ends_or_as_soon_as_it_can(
    eager_at, end_at, first_sound_at
):
    agent = Clerk(["A table, yes. For how many people?"])
    heard = await play(
        (0.0, StartOfTurn(0)),
        (eager_at, EAGER),
        (end_at, END),
        agent=agent,
        voice=ExactVoice(first_audio_s=0.08),
    )
    assert heard.first_sound_at == first_sound_at
    assert heard.outcomes == {0: "answered"}


async def test_a_model_is_told_who_it_is_and_what_was_heard():
    agent = Clerk(["One two three four five six seven."], ["Yes."])
    heard = await play(
        (1.0, EndOfTurn(0, "count")),
        (2.0, StartOfTurn(1)),
        (3.0, EndOfTurn(1, "stop")),
        agent=agent,
    )
    told = Instructions("You book tables.")
    assert agent.requests[0].messages == (told, Message("user", "count"))
    assert agent.requests[1].messages == (
        told,
        Message("user", "count"),
        Message("agent", "One two three"),
        Message("user", "stop"),
    )
    assert agent.requests[1].messages[0] is agent.requests[0].messages[0]
    assert heard.outcomes == {0: "interrupted", 1: "answered"}


# Tools.


async def test_a_pure_tool_runs_in_a_draft_and_the_reply_is_ready_when_the_turn_ends():
    agent = Clerk([LOOK], ["It is free."])
    heard = await play(*CONFIRMED, agent=agent)
    assert agent.done == [(1.15, "look today")]
    assert heard.first_sound_at == 2.0
    use = heard.history[1]
    assert (use.name, use.arguments, use.result) == ("look", '{"day":"today"}', '"free"')
    assert [type(entry) for entry in heard.history] == [Message, ToolUse, Message]
    assert agent.requests[1].messages[-1] is use


async def test_what_a_pure_tool_found_serves_the_second_attempt_too():
    agent = Clerk([LOOK], ["It is free."], [LOOK], ["It is free indeed."])
    heard = await play(
        (1.0, EAGER),
        (2.0, TurnResumed(0)),
        (3.0, EagerEndOfTurn(0, "book it")),
        (3.5, EndOfTurn(0, "book it")),
        agent=agent,
    )
    assert agent.done == [(1.15, "look today")]
    assert said(heard) == ["It is free indeed."]
    assert len([entry for entry in heard.history if isinstance(entry, ToolUse)]) == 1


async def test_a_tool_with_an_effect_waits_for_the_end_of_the_turn_and_runs_once():
    agent = Clerk([BOOK_IT], ["It is booked."])
    heard = await play(*CONFIRMED, agent=agent)
    assert agent.done == [(2.0, "book today")]
    assert heard.first_sound_at == 2.67  # 500 ms for the tool, 150 + 20 ms for three words
    assert said(heard) == ["It is booked."]


async def test_a_tool_with_an_effect_never_runs_on_a_guess_that_was_wrong():
    agent = Clerk([BOOK_IT], ["For how many?"])
    heard = await play(
        (1.0, EAGER), (2.0, TurnResumed(0)), (3.0, EndOfTurn(0, "book no table")), agent=agent
    )
    assert agent.done == []
    assert said(heard) == ["For how many?"]


async def test_a_tool_asked_for_between_the_draft_and_the_end_is_not_lost():
    agent = Clerk([Pause(0.5), BOOK_IT], ["It is booked."])
    heard = await play((1.0, EAGER), (1.6, END), agent=agent)
    assert agent.done == [(1.65, "book today")]
    assert said(heard) == ["It is booked."]


async def test_a_tool_runs_once_although_the_reply_broke_down_and_was_tried_afresh():
    agent = Clerk(
        [BOOK_IT], [ModelError("boom")], [ModelError("boom")], [BOOK_IT], ["It is booked."]
    )
    heard = await play(*CONFIRMED, agent=agent)
    assert agent.done == [(2.0, "book today")]
    assert heard.outcomes == {0: "answered"}
    assert [type(entry) for entry in heard.history] == [Message, ToolUse, Message]
    assert [m.text for m in agent.requests[3].messages] == ["You book tables.", BOOK]


async def test_a_tool_that_finished_before_the_user_spoke_stays_in_history():
    agent = Clerk([BOOK_IT], ["One two three four five six seven."], ["Yes."])
    heard = await play(
        (1.0, END), (2.5, StartOfTurn(1)), (3.0, EndOfTurn(1, "is it booked")), agent=agent
    )
    assert heard.history[1].result == '"booked"'
    assert heard.outcomes == {0: "interrupted", 1: "answered"}
    assert heard.history[1] in agent.requests[2].messages


async def test_a_tool_that_the_user_spoke_into_is_known_to_be_uncertain():
    agent = Clerk(["One moment. ", BOOK_IT], ["Yes."])
    heard = await play(
        (1.0, END), (1.4, StartOfTurn(1)), (3.0, EndOfTurn(1, "no, wait")), agent=agent
    )
    assert agent.done == [(1.18, "book today")]
    assert "cut short" in msgspec.json.decode(heard.history[1].result)["error"]
    assert heard.outcomes == {0: "interrupted", 1: "answered"}


async def test_pure_tools_run_side_by_side_and_others_in_order():
    calls = [ToolCall(name, f'{{"day":"{day}"}}') for name in ("look", "book") for day in "ab"]
    agent = Clerk([calls[2], calls[0], calls[3], calls[1]], ["Done."])
    await play((1.0, END), agent=agent)
    assert agent.done == [(1.18, "look a"), (1.18, "look b"), (1.18, "book a"), (1.68, "book b")]
    asked = [m.arguments for m in agent.requests[1].messages if isinstance(m, ToolUse)]
    assert asked == [f'{{"day":"{day}"}}' for day in "aabb"]


async def test_what_was_said_before_a_tool_is_heard_while_it_runs():
    agent = Clerk(["Let me see", LOOK], ["It is free."])
    heard = await play((1.0, END), agent=agent)
    assert heard.spans[0].start == 1.18
    assert agent.done == [(1.18, "look today")]
    assert said(heard) == ["Let me see\nIt is free."]
    assert agent.requests[1].messages[-2:] == (Message("agent", "Let me see"), heard.history[1])


async def test_a_tool_does_not_wait_for_the_voice():
    agent = Clerk(["Let me see.", LOOK], ["It is free."])
    off = Settings.model_construct(speculate="llm")
    heard = await play(*CONFIRMED, agent=agent, voice=ExactVoice(0.5), settings=off)
    assert agent.done == [(1.18, "look today")]
    assert heard.first_sound_at == 2.5


class Slow(Clerk):
    @tool(effect="pure", while_running="Let me look.", timeout_s=60)
    async def look(self, day: str = "today") -> str:
        await anyio.sleep(3)
        return "free"

    @tool
    async def book(self, day: str = "today") -> str:
        await anyio.sleep(4)
        return "booked"


async def test_a_slow_tool_has_words_of_its_own():
    heard = await play((1.0, END), agent=Slow([LOOK], ["It is free."]))
    assert heard.first_sound_at == 1.15
    assert said(heard) == ["Let me look.\nIt is free."]


async def test_what_the_model_said_will_do_instead():
    heard = await play((1.0, END), agent=Slow(["Hm, let me see.", LOOK], ["It is free."]))
    assert said(heard) == ["Hm, let me see.\nIt is free."]


async def test_a_slow_tool_without_words_is_excused_before_it_becomes_awkward():
    heard = await play(*CONFIRMED, agent=Slow([BOOK_IT], ["It is booked."]))
    assert heard.first_sound_at == 3.5
    assert said(heard) == ["One moment, please.\nIt is booked."]


# What models do wrong.


@pytest.mark.parametrize(
    ("call", "error"),
    [
        (ToolCall("cancel_all"), "there is no such tool; there are: look, book"),
        (ToolCall("look", '{"day"'), "these arguments do not fit"),
        (ToolCall("look", '{"day":7}'), "Expected `str`, got `int`"),
    ],
)
async def test_a_model_that_asks_for_nonsense_is_told_so(call, error):
    agent = Clerk([call], ["Sorry, what day?"])
    heard = await play((1.0, END), agent=agent)
    assert error in msgspec.json.decode(agent.requests[1].uses[0].result)["error"]
    assert agent.log == []
    assert heard.outcomes == {0: "answered"}


async def test_a_tool_that_fails_is_a_result_like_any_other():
    class Broken(Clerk):
        @tool
        async def book(self) -> str:
            raise ValueError("no table is free")

    agent = Broken([BOOK_IT], ["There is none left."])
    heard = await play((1.0, END), agent=agent)
    assert agent.requests[1].uses[0].result == '{"error":"ValueError: no table is free"}'
    assert said(heard) == ["There is none left."]


async def test_the_same_tool_for_ever_ends_in_an_answer_without_tools():
    agent = Clerk(*[[LOOK]] * 5, ["It is free."])
    heard = await play((1.0, END), agent=agent)
    assert [bool(request.tools) for request in agent.requests] == [True] * 5 + [False]
    assert len(agent.log) == 1
    assert said(heard)[-1] == "It is free."


async def test_a_model_that_will_not_answer_even_then_has_failed():
    agent = Clerk([LOOK])
    heard = await play((1.0, END), agent=agent)
    assert len(agent.requests) == 6
    assert why(heard) == ["ModelError: the model asked for tools and never answered"]
    assert said(heard)[-1].endswith(SORRY)


async def test_more_tools_at_once_than_anybody_needs_are_left_out():
    agent = Clerk([ToolCall("look", f'{{"day":"{n}"}}') for n in range(50)], ["Fine."])
    await play((1.0, END), agent=agent)
    assert len(agent.log) == 8


@pytest.mark.parametrize(
    ("steps", "reason"),
    [
        ([], "ModelError: the model answered with nothing"),
        (["  "], "ModelError: the model answered with nothing"),
        ([Cut()], "ModelError: the answer ended early"),
        ([ModelError("gone")], "ModelError: gone"),
        ([RuntimeError("odd")], "RuntimeError: odd"),
        ([Pause()], "ModelError: the model was silent for 5 s"),
        ([ModelError("busy", "busy")], "ModelError: busy"),
    ],
)
async def test_an_answer_that_is_none_is_recorded_and_apologised_for(steps, reason):
    heard = await play((1.0, END), agent=Clerk(steps))
    assert why(heard) == [reason]
    assert heard.outcomes == {0: "failed"}
    assert said(heard) == [SORRY]


@pytest.mark.parametrize("steps", [[], [Cut()], [ModelError("gone")]])
async def test_what_goes_wrong_at_once_is_tried_once_more_while_the_user_waits(steps):
    agent = Clerk(steps, ["Here I am."])
    heard = await play((1.0, END), agent=agent)
    assert heard.first_sound_at == 1.32
    assert heard.outcomes == {0: "answered"}


@pytest.mark.parametrize("fault", ["refused", "busy", "slow"])
async def test_what_another_attempt_cannot_help_is_not_tried_again(fault):
    agent = Clerk([ModelError("no", fault)], ["Never said."])
    await play((1.0, END), agent=agent)
    assert len(agent.requests) == 1


@pytest.mark.parametrize(
    "steps",
    [
        [],
        [Cut()],
        ["I was about", Cut()],
        ["I was about", Pause()],
        [ModelError("429", "busy")],
        [ModelError("gone")],
        [RuntimeError("odd")],
        [LOOK, ModelError("gone")],
        [BOOK_IT, Cut()],
    ],
)
async def test_a_draft_that_went_wrong_before_the_turn_was_final_is_not_missed(steps):
    agent = Clerk(steps, ["A table, yes."])
    heard = await play((1.0, EAGER), (9.0, END), agent=agent)
    assert said(heard) == ["A table, yes."]
    assert heard.first_sound_at == 9.16
    assert heard.outcomes == {0: "answered"}
    assert agent.log == []


async def test_a_draft_that_stalls_after_the_turn_is_final_is_not_missed_either():
    agent = Clerk([Pause()], ["A table, yes."])
    heard = await play((1.0, EAGER), (1.5, END), agent=agent)
    assert heard.first_sound_at == 6.16
    assert heard.outcomes == {0: "answered"}


async def test_an_answer_that_breaks_off_is_heard_so_far_then_apologised_for():
    heard = await play((1.0, END), agent=Clerk(["There is a table. And the", Cut()]))
    assert said(heard) == ["There is a table. And the", SORRY]
    assert heard.items(ReplyFailed)[0][1].reason == "ModelError: the answer ended early"


async def test_an_answer_that_falls_silent_in_mid_word_is_given_up():
    heard = await play((1.0, END), agent=Clerk(["There is a table. And the", Pause()]))
    assert why(heard) == ["ModelError: the model was silent for 2 s"]


class Thinker:
    """Thinks for ten seconds, and shows it."""

    async def stream(self, messages, tools=()):
        for _ in range(10):
            await anyio.sleep(1)
            yield Busy()
        yield Finish("filter")


async def test_a_model_that_is_seen_to_think_has_not_stalled():
    heard = await play((1.0, END), agent=ModelAgent(Thinker()))
    assert why(heard) == ["ModelError: the model's content filter left nothing of the answer"]
    assert heard.items(ReplyFailed)[0][0] == 11.0


async def test_nothing_more_to_say_after_a_tool_is_no_failure_if_something_was_said():
    agent = Clerk(["I will book it.", BOOK_IT], [])
    heard = await play((1.0, END), agent=agent)
    assert said(heard) == ["I will book it."]
    assert heard.outcomes == {0: "answered"}


# What it costs.


@pytest.mark.parametrize(
    ("end", "tokens"),
    [
        (Finish(prompt_tokens=42, completion_tokens=8), 50),
        (Finish(completion_tokens=8), 12),  # the request is 17 characters
        (Finish(), 4 + 2),
    ],
)
async def test_what_an_answer_cost_is_told_as_the_model_says_or_as_we_count(end, tokens):
    class Priced:
        async def stream(self, messages, tools=()):
            yield Text("Good")
            yield Text(" day.")
            yield end

    class Terse(ModelAgent):
        instructions = "You are brief"

    spent = []
    turn = Turn(0, "four", spend=spent.append)
    assert len([words async for words in Terse(Priced()).reply(turn)]) == 2
    assert sum(spent) == tokens


async def test_a_draft_that_is_dropped_has_its_price_too():
    spent = []
    reply = Clerk(["One two three four."]).reply(Turn(0, "x" * 85, spend=spent.append))
    assert await anext(reply) == "One"
    await reply.aclose()
    assert spent == [25, 1]


# Being cancelled.


async def test_a_reply_that_is_closed_ends_its_work_first():
    agent = Clerk([LOOK], ["Never said."])
    reply = agent.reply(Turn(0, "hello"))
    with anyio.move_on_after(0.3):
        await anext(reply)
    await reply.aclose()
    await anyio.sleep(10)
    assert len(agent.requests) == 1


async def test_a_conversation_of_many_turns_keeps_its_promises():
    agent = Clerk(*[[LOOK], ["It is free."], [BOOK_IT], ["It is booked."]] * 20)
    script = []
    for turn in range(20):
        start = turn * 4.0
        script += [(start, StartOfTurn(turn)), (start + 0.5, EagerEndOfTurn(turn, f"t{turn}"))]
        if turn % 3 == 0:
            script += [
                (start + 0.6, TurnResumed(turn)),
                (start + 0.8, EagerEndOfTurn(turn, f"t{turn}")),
            ]
        script += [(start + 0.9, EndOfTurn(turn, f"t{turn}"))]
    heard = await play(*script, agent=agent)
    assert breaches(heard) == []
    assert len(heard.outcomes) == 20


# Where the model comes from.


async def test_the_settings_name_the_model_and_a_script_needs_none():
    agent = ModelAgent()
    agent.prepare(Settings.model_construct())
    heard = await play((1.0, EndOfTurn(0, "hello")), agent=agent)
    assert said(heard)[0].startswith("You said: hello.")
    agent = ModelAgent()
    agent.prepare(Settings.model_construct(llm="scripted:Good day."))
    assert [words async for words in agent.reply(Turn(0, "hello"))] == ["Good", " day."]


async def test_outside_a_session_the_environment_names_it(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TURNKIT_LLM", "scripted:Good day.")
    assert [words async for words in ModelAgent().reply(Turn(0, "hello"))] == ["Good", " day."]
    assert config.load().llm == "scripted:Good day."


def test_a_model_that_cannot_be_had_is_an_error_before_the_call():
    with pytest.raises(ConfigError, match="llm 'nobody' is unknown; choose one of"):
        ModelAgent().prepare(Settings.model_construct(llm="nobody"))


async def test_an_agent_that_forgets_to_call_init_works_all_the_same():
    class Forgetful(ModelAgent):
        def __init__(self):
            self.tables = 3

        def offline(self, request):
            return [f"{self.tables} tables."]

    agent = Forgetful()
    agent.prepare(Settings.model_construct())
    assert [words async for words in agent.reply(Turn(0, "hello"))] == ["3", " tables."]


def test_a_tool_that_cannot_be_described_is_an_error_where_it_is_written():
    with pytest.raises(ConfigError, match="parameter 'day' has no annotation"):

        class Wrong(ModelAgent):
            @tool
            async def book(self, day): ...


async def test_instructions_may_change_from_turn_to_turn():
    class Moody(Clerk):
        @property
        def instructions(self):
            return f"Mood {len(self.requests)}"

    agent = Moody(["Yes."])
    await play((1.0, EndOfTurn(0, "a")), (9.0, EndOfTurn(1, "b")), agent=agent)
    assert [r.messages[0].text for r in agent.requests] == ["Mood 0", "Mood 1"]
