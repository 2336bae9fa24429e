"""Where a subject's capacity ends, by rows whose figures are known."""

from dataclasses import dataclass

from benchmarks.load.scale import capacity_of
from benchmarks.load.stats import summarise


@dataclass
class Row:
    calls: int
    ms: float
    subject: str = "one"
    cpu_s_per_call_minute: float = 0.3

    @property
    def overhead(self):
        return summarise([self.ms])


def test_capacity_is_the_last_level_whose_latency_is_near_its_base():
    rows = [Row(1, 4.0), Row(10, 3.0), Row(50, 20.0), Row(100, 90.0), Row(200, 30.0)]
    found = capacity_of([*rows, Row(1, 0.1, "other")], "one")
    assert (found["calls"], found["next"], found["base_ms"]) == (50, 100, 3.0)


def test_a_subject_that_was_never_slow_has_no_next():
    found = capacity_of([Row(1, 4.0), Row(10, 5.0)], "one")
    assert (found["calls"], found["next"]) == (10, 0)
    assert round(found["cpu_share_per_call"], 6) == 0.005
