"""Who blocks the loop is named."""

import sys
import threading
import time

import anyio
import pytest
import structlog

from turnkit import watchdog
from turnkit.watchdog import Place, culprit

pytestmark = pytest.mark.anyio


def frame_here():
    return sys._getframe()


def test_the_innermost_place_in_the_users_code_is_named():
    frame = frame_here()
    place = culprit(frame)
    assert place == Place("frame_here", __file__, frame.f_lineno)


class Frame:
    """A frame of a function in a library, called by `back`."""

    def __init__(self, back):
        self.f_code = frame_here.__code__.replace(co_filename=structlog.__file__)
        self.f_lineno, self.f_back = 7, back


def test_a_library_is_blamed_on_who_called_it():
    assert culprit(Frame(frame_here())).file == __file__


def test_with_no_code_of_the_users_the_innermost_place_is_named():
    assert culprit(Frame(Frame(None))) == Place("frame_here", structlog.__file__, 7)


@pytest.fixture
def noticed(monkeypatch):
    """Set when the watchdog looks at `_block`; what else this machine is slow at is left out."""
    noticed = threading.Event()

    def looked_at(frame):
        place = culprit(frame)
        if place.function == "_block":
            noticed.set()
        return place

    monkeypatch.setattr(watchdog, "culprit", looked_at)
    return noticed


@pytest.mark.network
async def test_a_blocking_call_is_reported_once_with_its_length(noticed):
    began_at = time.monotonic()
    with structlog.testing.capture_logs() as logs:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(watchdog.watch)
            for _ in range(2):
                await anyio.sleep(2 * watchdog.BEAT_S)
                noticed.clear()
                _block(noticed)
            tasks.cancel_scope.cancel()
    took_ms = (time.monotonic() - began_at) * 1000
    [line] = [line for line in logs if line.get("function") == "_block"]
    assert line["event"] == "loop.blocked"
    assert line["at"].startswith(__file__)
    assert watchdog.LIMIT_S * 1000 <= line["ms"] <= took_ms


def _block(noticed):
    assert noticed.wait(30)
