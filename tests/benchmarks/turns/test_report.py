"""Reports: every metric in its unit, for people and for programs; and plots that can be made."""

import json

import numpy as np
import pytest

from benchmarks.turns import plots
from benchmarks.turns.bootstrap import Estimate
from benchmarks.turns.report import interval, open_console, table, told, write_json
from benchmarks.turns.runs import Event, Run, Trace
from benchmarks.turns.scoring import report, scored_pauses
from turnkit.sources.flux_query import ListenParameters

ASKED = ListenParameters("flux-general-en", "linear16", 16000, eager_eot_threshold=0.5)
NAN = float("nan")


@pytest.fixture(scope="module")
def runs(recording, turn):
    """Six calls of a turn from 1 to 4 s with two holds, heard alike; and a noise clip."""
    times = np.arange(0.0, 12.0, 0.08)
    surer = np.clip((times - 4.0) / 1.0, 0, 1) * (times > 4.0)
    events = (
        Event("StartOfTurn", 0, 1.2, "i"),
        Event("EagerEndOfTurn", 0, 4.3, "i am", delay_s=0.1),
        Event("EndOfTurn", 0, 4.6, "i am", delay_s=0.1),
    )
    calls = [
        Run(
            recording(turn(1, 4, holds=[(2, 2.4), (3, 3.9)]), name=f"call {n}", duration=6.0),
            events,
            Trace(times, surer),
        )
        for n in range(6)
    ]
    return [*calls, Run(recording(name="noise", speech=(), duration=5.0), ())]


@pytest.fixture(scope="module")
def given(runs):
    return report("an engine", ASKED, ["pack"], 1, runs)


@pytest.mark.parametrize(
    ("metric", "value", "words"),
    [
        ("cut turns", 0.125, "12.5 %"),
        ("end of turn p50", 0.98, "980 ms"),
        ("latency at 5 % cut-offs, timer", 1.6, "1600 ms"),
        ("cut-offs at 300 ms, timer", 0.7, "70.0 %"),
        ("wasted drafts per turn", 0.5, "0.50"),
        ("cut turns", NAN, "-"),
    ],
)
def test_each_figure_is_written_in_its_unit(metric, value, words):
    assert told(metric, Estimate(value, NAN, NAN, 3)) == words


def test_intervals_have_the_unit_of_their_figure():
    assert interval("cut turns", Estimate(0.2, 0.1, 0.3, 9)) == "10.0 to 30.0"
    assert interval("cut turns", Estimate(0.2, NAN, NAN, 9)) == "-"


def test_the_table_tells_every_metric_that_there_is(given):
    console = open_console()
    with console.capture() as said:
        console.print(table(given))
    text = said.get()
    assert "an engine, eot_threshold 0.7, eager 0.5, eot_timeout_ms 5000" in text
    assert any("end of turn p50" in line and "600 ms" in line for line in text.splitlines())
    assert any("noise clips with a start" in line and "0.0 %" in line for line in text.splitlines())
    assert "word error rate" not in text  # there is no transcript


def test_policies_stand_beside_the_silence_timer(given):
    policies = given.groups["all"].policies
    assert policies.points.latency_at_5_percent.estimate.value < 0.3
    assert policies.timer.latency_at_5_percent.estimate.value == pytest.approx(0.9)


def test_kinds_are_told_apart_when_there_are_several(runs):
    assert list(report("x", ASKED, [], 1, runs).groups) == ["all"]


def test_json_holds_all_figures_and_null_for_what_is_none(given, tmp_path):
    write_json(given, tmp_path / "report.json")
    read = json.loads((tmp_path / "report.json").read_text())
    everything = read["groups"]["all"]
    assert everything["metrics"]["end of turn p50"]["value"] == pytest.approx(0.6)
    assert everything["metrics"]["word error rate"]["value"] is None
    assert everything["policies"]["points"]["latency_at_5_percent"]["timeout_s"] >= 1
    assert all(len(point) == 2 for point in everything["policies"]["frontier"])
    assert read["asked"]["eot_threshold"] == 0.7


def is_picture(file):
    return file.read_bytes().startswith(b"\x89PNG")


def test_plots_are_made(given, runs, tmp_path):
    plots.frontiers([given, given], tmp_path / "a.png")
    plots.pauses(scored_pauses(runs), "an engine", tmp_path / "b.png")
    plots.timeline(runs[0], "an engine", tmp_path / "c.png")
    assert all(is_picture(tmp_path / f"{name}.png") for name in "abc")


def test_plots_of_nothing_are_empty_and_not_an_error(recording, tmp_path):
    nothing = report("x", ASKED, [], 1, [Run(recording(speech=()), ())])
    plots.frontiers([nothing], tmp_path / "a.png")
    plots.pauses([], "x", tmp_path / "b.png")
    plots.timeline(Run(recording(speech=()), ()), "x", tmp_path / "c.png")
    assert all(is_picture(tmp_path / f"{name}.png") for name in "abc")
    assert nothing.groups["all"].policies is None
