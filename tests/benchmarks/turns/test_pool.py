"""Work on all processors, and at several connections."""

from concurrent.futures import Executor, Future, ThreadPoolExecutor

import pytest

from benchmarks.turns.pool import carried_out


class Slow(Executor):
    """Fails at the first item, and never gets to the others."""

    def __init__(self):
        self.futures = []

    def submit(self, work, item):
        self.futures.append(Future())
        if len(self.futures) == 1:
            self.futures[0].set_exception(ValueError(item))
        return self.futures[-1]

    def shutdown(self, wait=True, *, cancel_futures=False):
        if cancel_futures:
            for future in self.futures:
                future.cancel()


def test_every_item_is_worked_on():
    found = carried_out(lambda item: item * 2, [1, 2, 3], ThreadPoolExecutor(2))
    assert sorted(found) == [2, 4, 6]


def test_what_goes_wrong_ends_it_all():
    slow = Slow()
    with pytest.raises(ValueError, match="7"):
        list(carried_out(str, [7, 8, 9], slow))
    assert [future.cancelled() for future in slow.futures] == [False, True, True]
