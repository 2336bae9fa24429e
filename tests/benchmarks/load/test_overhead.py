"""A small run of the real thing: processes, sockets, and figures that add up."""

import anyio
import msgspec
import pytest

from benchmarks.load.entries import Entry
from benchmarks.load.figures import suite_of
from benchmarks.load.plan import Pace, Plan
from benchmarks.load.processes import Placement
from benchmarks.load.results import LoadResult
from benchmarks.load.run import Spec, run
from benchmarks.load.subjects import SUBJECTS
from benchmarks.load.subjects.versions import versions
from benchmarks.load.summaries import rows

pytestmark = [pytest.mark.anyio, pytest.mark.network]

PLAN = Plan(
    cases=("eager200", "eager400", "plain"),
    turns=2,
    normal_s=1.5,
    lead_in_s=0.2,
    pace=Pace(sentence_s=0.2),
)


class Unpinned(Entry):
    """An entry that leaves each core to other tests."""

    def place(self, *, realtime):
        return Placement()


async def measured(name, folder, end="twilio"):
    spec = Spec(
        entry=Unpinned(SUBJECTS[name], end),
        plan=PLAN,
        calls=3,
        gap_s=0.05,
        call_s=PLAN.call_s + 3.0,  # a busy machine begins late
        warm_turns=0,
        folder=folder,
    )
    return await run(spec)


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """The relay and turnkit, at the same time: no figure is compared here."""
    found = {}

    async def one(name, end):
        found[name, end] = await measured(name, tmp_path_factory.mktemp("logs"), end)

    async def all_at_once():
        async with anyio.create_task_group() as tasks:
            for name, end in (("relay", "twilio"), ("turnkit", "twilio"), ("turnkit", "ws")):
                tasks.start_soon(one, name, end)

    anyio.run(all_at_once)
    return found


@pytest.mark.parametrize("what", [("relay", "twilio"), ("turnkit", "twilio"), ("turnkit", "ws")])
def test_every_turn_is_answered_with_its_own_reply(runs, what):
    counts = runs[what].counts
    assert (counts.calls, counts.failed_calls) == (3, 0)
    assert (counts.turns, counts.answered) == (6, 6)
    assert counts.stale_pieces == 0


def test_the_stages_add_up_unless_the_audio_was_there_before_the_end(runs):
    for one in runs.values():
        for parts in one.samples.values():
            stages = zip(parts["request"], parts["synthesis"], parts["delivery"], strict=True)
            prepared = [sum(stage) for stage in stages]
            limits = zip(parts["response"], prepared, strict=True)
            assert parts["overhead"] == pytest.approx([min(pair) for pair in limits])


def test_nothing_is_faster_than_the_ideal(runs):
    for one in runs.values():
        assert min(ms for case in one.samples.values() for ms in case["overhead"]) > 0


@pytest.fixture(scope="module")
def result(runs):
    found = [runs["relay", "twilio"], runs["turnkit", "twilio"]]
    return LoadResult(
        suite="overhead",
        plan=PLAN,
        placement=str(Placement()),
        subjects={name: SUBJECTS[name].what for name in ("relay", "turnkit")},
        versions={name: versions(SUBJECTS[name]) for name in ("relay", "turnkit")},
        runs=found,
        rows=rows(found),
        calls=3,
    )


def test_a_result_sums_up_its_runs(result):
    relay, turnkit = result.rows
    assert turnkit.subject == "turnkit"
    found = result.runs[1].samples["plain"]["overhead"]
    assert turnkit.cases["plain"]["overhead"].n == len(found)
    assert relay.cpu_s_per_call_minute > 0
    assert result.versions["relay"]["picows"][0].isdigit()


def test_a_suite_has_its_samples_in_metrics_and_the_rest_as_json(result):
    suite = suite_of(result, "Overhead")
    by_name = {one.name: one for one in suite.metrics}
    found = result.runs[1].samples["plain"]["overhead"]
    assert by_name["overhead.turnkit.plain.overhead"].samples == pytest.approx(found, abs=1e-4)
    again = msgspec.convert(msgspec.json.decode(msgspec.json.encode(suite.detail)), LoadResult)
    assert [run.samples for run in again.runs] == [{}, {}]
    assert again.rows == result.rows


def test_a_suite_has_its_tables(result):
    suite = suite_of(result, "Overhead")
    overhead, *_ = suite.tables
    assert [row[:2] for row in overhead.rows] == [
        [turn, subject]
        for turn in ("eager +200", "eager +400", "no eager")
        for subject in ("relay", "turnkit")
    ]
    (under_load,) = (one for one in suite.tables if one.title.startswith("Under load"))
    assert [row[2] for row in under_load.rows] == ["6/6", "6/6"]
