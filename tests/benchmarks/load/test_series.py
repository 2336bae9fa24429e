"""The order of runs, and what is left out; nothing is started here."""

import pytest

from benchmarks.load import series
from benchmarks.load.entries import Entry
from benchmarks.load.plan import Plan
from benchmarks.load.run import Spec
from benchmarks.load.series import interleaved, play
from benchmarks.load.subjects import SUBJECTS

pytestmark = pytest.mark.anyio
ENTRIES = [Entry(SUBJECTS[name]) for name in ("relay", "turnkit")]


class Progress:
    def __init__(self):
        self.whole, self.done = 0.0, 0.0

    def title(self, what): ...
    def advance(self, more): ...

    def reach(self, done):
        self.done = done

    def total(self, total):
        self.whole = total


@pytest.fixture
def played(load, monkeypatch):
    """Play all levels of both; return who was run with how many calls, and the progress."""

    async def one(spec, *_, **__):
        made = load("scale", subjects=(spec.entry.name,), levels=(spec.calls,))
        return made.runs[spec.round]

    monkeypatch.setattr(series, "run", one)

    async def play_all(enough, rounds=1):
        specs = [
            Spec(entry, Plan(), calls, 0.1, 10.0, round=round_)
            for entry, calls, round_ in interleaved(ENTRIES, (1, 10, 50), rounds)
        ]
        progress = Progress()
        progress.whole = sum(spec.seconds for spec in specs)
        runs = await play(specs, progress, enough)
        return [(run.subject, run.calls) for run in runs], progress

    return play_all


async def test_subjects_take_turns_at_each_level(played):
    found, _ = await played(lambda runs: False)
    assert found == [(name, n) for n in (1, 10, 50) for name in ("relay", "turnkit")]


async def test_who_has_shown_enough_gets_no_more_calls_but_all_rounds(played):
    def enough(runs):
        return (runs[-1].subject, runs[-1].calls) == ("turnkit", 10)

    found, _ = await played(enough, rounds=2)
    assert found.count(("turnkit", 10)) == 2
    assert ("turnkit", 50) not in found
    assert found.count(("relay", 50)) == 2


async def test_what_is_left_out_is_not_waited_for(played):
    _, progress = await played(lambda runs: runs[-1].calls == 1)
    assert progress.done == pytest.approx(progress.whole)
