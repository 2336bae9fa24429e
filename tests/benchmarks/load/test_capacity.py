"""Where a subject's capacity ends, by rows whose figures are known."""

from dataclasses import dataclass

import pytest
from msgspec.structs import replace

from benchmarks.load.capacity import capacity_of, exhausted, passed, undecided
from benchmarks.load.stats import summarise


@dataclass
class Row:
    calls: int
    ms: float
    subject: str = "one"
    cpu_s_per_call_minute: float = 0.3
    turns: int = 9

    @property
    def overhead(self):
        return summarise([self.ms] if self.ms else [])


def test_capacity_is_the_last_level_whose_latency_is_near_its_base():
    rows = [Row(1, 4.0), Row(10, 3.0), Row(50, 20.0), Row(100, 90.0), Row(200, 30.0)]
    found = capacity_of([*rows, Row(1, 0.1, "other")], "one")
    assert (found["calls"], found["next"], found["base_ms"]) == (50, 100, 3.0)


def test_a_level_without_an_answer_is_beyond_and_one_without_a_turn_says_nothing():
    rows = [Row(1, 0, turns=0), Row(10, 3.0), Row(50, 0), Row(100, 4.0)]
    found = capacity_of(rows, "one")
    assert (found["calls"], found["next"]) == (10, 50)


def test_a_subject_that_was_never_slow_has_no_next():
    found = capacity_of([Row(1, 4.0), Row(10, 5.0)], "one")
    assert (found["calls"], found["next"]) == (10, 0)
    assert round(found["cpu_share_per_call"], 6) == 0.005


@pytest.fixture
def peers(load):
    return load("peers", subjects=("relay", "pipecat"))


def test_where_the_control_is_stopped_no_capacity_is_read(peers):
    peers.capacity = {"relay": {"next": 25.0}, "pipecat": {"next": 50.0}}
    assert "relay, too, was over at 25 calls" in undecided(peers)


def test_where_the_load_was_late_it_says_for_whom(peers):
    peers.capacity = {}
    assert not undecided(peers)
    for row in peers.rows:
        row.harness_sound = False
    assert undecided(peers) == "the load was late itself: relay at 10, pipecat at 10"


def test_who_has_no_time_left_or_no_answers_gets_no_more_calls(load):
    (run, *_) = load("scale").runs
    assert not exhausted([run])
    full = replace(run.process, cpu_s=run.process.window_s * 0.95)
    assert exhausted([run, replace(run, process=full)])
    assert not exhausted([replace(run, process=full), run])
    assert not exhausted([replace(run, process=replace(full, cores=2))])
    assert exhausted([replace(run, counts=replace(run.counts, answered=200))])


def test_where_p99_has_risen_by_50_ms_capacity_is_passed(load):
    few, _, more, *_ = load("scale", subjects=("turnkit",), levels=(10, 50)).runs
    assert not passed([few])
    assert not passed([few, more])
    late = {"plain": {"overhead": [ms + 60 for ms in more.samples["plain"]["overhead"]]}}
    assert passed([few, replace(more, samples=late)])
