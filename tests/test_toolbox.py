"""Tools at work: early or late, once or again, and whatever goes wrong."""

import anyio
import msgspec
import pytest

from turnkit.agent import Agent, Turn
from turnkit.history import ToolUse
from turnkit.llm.base import ToolCall
from turnkit.toolbox import Toolbox
from turnkit.tools import tool

pytestmark = pytest.mark.anyio

UNKNOWN = "it was cut short; nobody knows whether it took effect"


class Worker(Agent):
    """Takes notes of all it does."""

    def __init__(self):
        self.log = []

    def note(self, what):
        self.log.append((anyio.current_time(), what))

    @tool(effect="pure", timeout_s=3, while_running="One moment.")
    async def look(self, day: str, people: int = 2) -> dict[str, object]:
        self.note(f"look {day} {people}")
        await anyio.sleep(1)
        return {"day": day, "people": people}

    @tool(undo="cancel", timeout_s=3)
    async def book(self, day: str, *, key: str) -> str:
        self.note(f"book {day}")
        await anyio.sleep(2 if day == "monday" else 100)
        self.note(f"booked {day}")
        return key

    async def cancel(self, *, day: str, key: str) -> None:
        self.note(f"cancel {day} {key}")
        await anyio.sleep(100 if day == "never" else 0.5)
        if day == "nowhere":
            raise RuntimeError("no such booking")

    @tool
    async def fail(self) -> None:
        self.note("fail")
        raise ValueError("no table\nis free")

    @tool(effect="pure")
    async def fail_to_look(self) -> None:
        self.note("fail to look")
        raise TimeoutError("upstream")

    @tool(timeout_s=1)
    async def hang(self) -> None:
        while True:
            try:
                await anyio.sleep(100)
            except anyio.get_cancelled_exc_class():
                self.note("would not stop")
                await anyio.sleep(5)
                return

    @tool(effect="pure")
    async def odd(self, size: int) -> object:
        return Worker if size == 0 else "x" * size

    @tool(effect="pure")
    async def pass_on(self) -> Agent:
        return Worker()


@pytest.fixture
def worker():
    return Worker()


@pytest.fixture
def box(worker):
    return Toolbox(worker)


def turn(**given):
    return Turn(3, "hello", key="call-3", **given)


def final(**given):
    made = turn(**given)
    made.decide(final=True)
    return made


def error(outcome):
    assert not outcome.ok
    return msgspec.json.decode(outcome.use.result)["error"]


async def test_a_pure_tool_runs_for_a_guess_and_what_it_found_is_noted(box, worker):
    guess = turn()
    outcome = await box.run(ToolCall("look", '{"day":"monday","people":"4"}'), guess)
    assert worker.log == [(0.0, "look monday 4")]
    assert outcome.use == ToolUse(
        "look",
        '{"day":"monday","people":4}',
        '{"day":"monday","people":4}',
        key=outcome.use.key,
    )
    assert guess.done == [outcome.use]


async def test_what_a_pure_tool_found_is_kept_for_the_next_attempt(box, worker):
    kept = {}
    first = await box.run(ToolCall("look", '{"day":"monday"}'), turn(kept=kept))
    second = turn(kept=kept)
    again = await box.run(ToolCall("look", '{ "people":2, "day":"monday" }'), second)
    assert again is first
    assert second.done == [first.use]
    assert len(worker.log) == 1


async def test_other_arguments_are_another_use(box, worker):
    asked = turn()
    for day in ("monday", "tuesday"):
        await box.run(ToolCall("look", msgspec.json.encode({"day": day}).decode()), asked)
    assert len({use.key for use in asked.done}) == len(worker.log) == 2


async def test_what_failed_is_tried_again_if_it_is_pure(box, worker):
    asked = turn()
    for _ in range(2):
        assert error(await box.run(ToolCall("fail_to_look"), asked)) == "TimeoutError: upstream"
    assert len(worker.log) == 2
    assert asked.done == []


MONDAY = ToolCall("book", '{"day":"monday"}')
TUESDAY = ToolCall("book", '{"day":"tuesday"}')


async def test_what_cannot_be_taken_back_waits_until_the_turn_is_final(box, worker):
    guess = turn()
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(box.run, MONDAY, guess)
        await anyio.sleep(1)
        assert (worker.log, guess.done) == ([], [])
        guess.decide(final=True)
    assert worker.log == [(1.0, "book monday"), (3.0, "booked monday")]


async def test_it_never_runs_if_the_attempt_is_dropped(box, worker):
    with anyio.move_on_after(5):
        await box.run(MONDAY, turn())
    assert worker.log == []


async def test_it_runs_once_for_a_turn_whatever_the_attempt(box, worker):
    kept = {}
    first = await box.run(MONDAY, final(kept=kept))
    later = final(kept=kept, attempt=2)
    assert await box.run(MONDAY, later) is first
    assert later.done == [first.use]
    assert len(worker.log) == 2


async def test_the_key_is_that_of_the_turn_and_the_arguments(box):
    one, other = [await box.run(MONDAY, final()) for _ in range(2)]
    assert one.use.result == f'"{one.use.key}"'
    assert one.use.key.startswith("call-3-book-")
    assert one.use.key == other.use.key


async def test_what_failed_is_not_done_again_in_this_turn(box, worker):
    asked = final()
    for _ in range(2):
        assert error(await box.run(ToolCall("fail"), asked)) == "ValueError: no table"
    assert len(worker.log) == 1
    assert len({use.key for use in asked.done}) == 1


async def test_what_takes_too_long_is_stopped_and_taken_back(box, worker):
    asked = final()
    outcome = await box.run(TUESDAY, asked)
    assert error(outcome) == "it did not finish within 3 s and was taken back"
    assert worker.log == [(0.0, "book tuesday"), (3.0, f"cancel tuesday {outcome.use.key}")]
    assert asked.done == [outcome.use]


@pytest.mark.parametrize("day", ["nowhere", "never"])
async def test_what_cannot_be_taken_back_either_is_said_to_be_uncertain(box, day):
    outcome = await box.run(ToolCall("book", f'{{"day":"{day}"}}'), final())
    assert error(outcome) == f"it did not finish within 3 s; {UNKNOWN}"


async def test_what_is_interrupted_is_taken_back_and_known_to_be_uncertain(box, worker):
    asked = final()
    with anyio.move_on_after(1):
        await box.run(MONDAY, asked)
    assert worker.log == [(0.0, "book monday"), (1.0, f"cancel monday {asked.done[0].key}")]
    assert msgspec.json.decode(asked.done[0].result) == {"error": UNKNOWN}
    assert await box.run(MONDAY, asked)
    assert len(worker.log) == 2


async def test_a_tool_that_will_not_stop_is_left_behind(box, worker):
    assert error(await box.run(ToolCall("hang"), final())).startswith("it did not finish")
    assert anyio.current_time() == 1.5
    assert worker.log == [(1.0, "would not stop")]
    await anyio.sleep(10)


@pytest.mark.parametrize(
    ("call", "message", "arguments"),
    [
        (ToolCall("nothing"), "there is no such tool; there are: look, book, fail", "{}"),
        (ToolCall("../x", '{"a":1}'), "there is no such tool", '{"a":1}'),
        (ToolCall("look", '{"day"'), "these arguments do not fit: Input data was truncated", "{}"),
        (ToolCall("look", ""), "these arguments do not fit: Input data was truncated", "{}"),
        (ToolCall("look", "[]"), "these arguments do not fit: Expected `object`", "{}"),
        (ToolCall("look", "{}"), "missing required field `day`", "{}"),
        (ToolCall("look", '{"day":1}'), "Expected `str`, got `int` - at `$.day`", '{"day":1}'),
        (
            ToolCall("look", '{"day":"x","at":2}'),
            "Object contains unknown field `at`",
            '{"day":"x","at":2}',
        ),
        (ToolCall("look", '{"day":"\ud800"}'), "do not fit", "{}"),
    ],
)
async def test_a_request_that_is_not_in_order_is_answered(box, worker, call, message, arguments):
    asked = turn()
    outcome = await box.run(call, asked)
    assert message in error(outcome)
    assert outcome.use.arguments == arguments
    assert outcome.use.name in {"look", "nothing", "unknown"}
    assert (worker.log, asked.done, asked.kept) == ([], [], {})


async def test_a_result_that_is_not_json_is_told_as_text_and_a_long_one_is_cut(box):
    outcome = await box.run(ToolCall("odd", '{"size":0}'), turn())
    assert "Worker" in outcome.use.result
    outcome = await box.run(ToolCall("odd", '{"size":20000}'), turn())
    assert len(outcome.use.result) == 16_000


async def test_a_tool_may_name_who_takes_over(box):
    outcome = await box.run(ToolCall("pass_on"), turn())
    assert isinstance(outcome.successor, Worker)
    assert outcome.use.result == '{"handed_over_to":"Worker"}'


async def test_words_are_for_what_is_still_to_be_done(box):
    asked, call = turn(), ToolCall("look", '{"day":"monday"}')
    assert box.words_for(call, asked) == "One moment."
    await box.run(call, asked)
    assert box.words_for(call, asked) is None
    assert box.words_for(ToolCall("look", "{"), asked) is None
    assert box.words_for(ToolCall("nothing"), asked) is None
    assert box.words_for(MONDAY, asked) is None


def test_only_what_is_known_to_be_otherwise_is_not_pure(box):
    assert [box.is_pure(ToolCall(name)) for name in ("look", "book", "nothing")] == [1, 0, 1]
