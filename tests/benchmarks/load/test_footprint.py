"""What is made of the times and sizes that were measured."""

from benchmarks.load.environments import ENVIRONMENTS
from benchmarks.load.footprint import FRESH, footprint, sized
from benchmarks.load.results import Footprint


def test_a_footprint_holds_medians_so_that_one_slow_start_does_not_count():
    size = sized("some", (12_500_000, 7))
    found = footprint(size, [(0.3, 700), (9.0, 700), (0.4, 702)], [(1.0, 80), (0.9, 82), (7, 81)])
    assert found == Footprint("some", 12.5, 7, 0.4, 700, 1.0, 81)


def test_what_is_installed_but_not_run_has_a_size_only():
    assert sized("some", (1_000_000, 3)) == Footprint("some", 1.0, 3, 0.0, 0, 0.0, 0.0)


def test_each_subject_is_started_in_its_own_environment():
    assert {name: one.environment for name, one in FRESH.items()} == {
        "turnkit": ENVIRONMENTS["turnkit-openai"],
        "pipecat": ENVIRONMENTS["pipecat"],
        "livekit": ENVIRONMENTS["livekit"],
    }
