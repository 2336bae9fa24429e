"""A small run of the real thing: processes, sockets, and figures that add up."""

from io import StringIO

import anyio
import pytest
from rich.console import Console
from typer.testing import CliRunner

from benchmarks.load.__main__ import app
from benchmarks.load.bench import Spec, run
from benchmarks.load.machine import describe, machine, versions
from benchmarks.load.plan import Pace, Plan
from benchmarks.load.processes import Placement
from benchmarks.load.results import Result
from benchmarks.load.subjects import SUBJECTS
from benchmarks.load.suite import read, write
from benchmarks.load.summaries import rows
from benchmarks.load.tables import show

pytestmark = [pytest.mark.anyio, pytest.mark.network]

PLAN = Plan(
    cases=("eager200", "eager400", "plain"),
    turns=2,
    normal_s=1.5,
    lead_in_s=0.2,
    pace=Pace(sentence_s=0.2),
)


async def measured(name, folder, end="twilio"):
    spec = Spec(
        subject=SUBJECTS[name],
        plan=PLAN,
        calls=3,
        gap_s=0.05,
        call_s=PLAN.call_s + 1.0,  # a busy machine begins late
        place=Placement(),
        end=end,
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


def test_the_stages_add_up_where_the_audio_is_not_ready_before_the_end(runs):
    for one in runs.values():
        for case in ("eager200", "plain"):
            parts = one.samples.get(case, {})
            stages = zip(parts["request"], parts["synthesis"], parts["delivery"], strict=True)
            assert parts["overhead"] == pytest.approx([sum(stage) for stage in stages])


def test_audio_that_is_ready_costs_its_delivery_alone(runs):
    for one in runs.values():
        parts = one.samples["eager400"]
        assert parts["overhead"] == pytest.approx(parts["delivery"])


def test_nothing_is_faster_than_the_ideal(runs):
    for one in runs.values():
        assert min(ms for case in one.samples.values() for ms in case["overhead"]) > 0


@pytest.fixture(scope="module")
def result(runs):
    found = [runs["relay", "twilio"], runs["turnkit", "twilio"]]
    return Result(
        suite="overhead",
        command="python -m benchmarks.load overhead",
        began="2026-11-20T12:00:00+00:00",
        seconds=20.0,
        machine=machine(),
        placement=describe(Placement()),
        plan=PLAN,
        subjects={name: SUBJECTS[name].what for name in ("relay", "turnkit")},
        versions={"relay": versions(SUBJECTS["relay"])},
        runs=found,
        summaries=rows(found),
    )


def test_a_result_is_written_down_and_read_back(result, tmp_path):
    write(result, tmp_path / "result.json")
    assert read(tmp_path / "result.json") == result


def test_a_result_sums_up_its_runs(result):
    relay, turnkit = result.summaries
    assert turnkit.subject == "turnkit"
    found = result.runs[1].samples["plain"]["overhead"]
    assert turnkit.cases["plain"]["overhead"].n == len(found)
    assert relay.cpu_s_per_call_minute > 0
    assert result.versions["relay"]["picows"][0].isdigit()


def test_a_result_is_shown(result):
    console = Console(record=True, width=160, file=StringIO())
    show(result, console)
    shown = console.export_text()
    assert "eager, end 200 ms later" in shown
    assert "6/6" in shown


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (["--subjects", "nobody"], "no subject 'nobody'; there are relay, turnkit"),
        (["--end", "fax"], "no far end 'fax'; there are twilio, ws"),
    ],
)
def test_a_mistake_is_named(given, said):
    found = CliRunner().invoke(app, ["overhead", *given], env={"COLUMNS": "200"})
    assert found.exit_code == 2
    assert said in found.output
