"""Notices when something blocks the event loop, and names it.

One blocking call freezes every conversation of the process: half a second of `time.sleep` in one
agent makes the frames of all others half a second late. A thread looks on from outside, since the
loop itself cannot. It samples; what blocks for less than `LIMIT_S` is not seen.
"""

import sys
import sysconfig
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

import anyio
import structlog

log = structlog.get_logger(__name__)

LIMIT_S = 0.1
BEAT_S = 0.025
PATIENCE_S = 1.0
"""A block that lasts is reported after this long, before it ends."""

QUIET_S = 10.0
"""The same place is reported at most this often."""

_PACKAGE = Path(__file__).parent
_EXAMPLES = _PACKAGE / "agents"  # installed with us, but written as users write
_STDLIB = Path(sysconfig.get_paths()["stdlib"])


@dataclass(frozen=True, slots=True)
class Place:
    """Where in the source something is."""

    function: str
    file: str
    line: int


def culprit(frame: FrameType) -> Place:
    """Return the innermost place in the user's own code, or else the innermost of all."""
    innermost: FrameType | None = frame
    while innermost is not None:
        if _is_users(Path(innermost.f_code.co_filename)):
            return _place(innermost)
        innermost = innermost.f_back
    return _place(frame)


async def watch() -> None:
    """Watch the event loop this runs on, until cancelled."""
    watchdog = _Watchdog(threading.get_ident())
    thread = threading.Thread(target=watchdog.look_on, name="watchdog", daemon=True)
    thread.start()
    try:
        while True:
            watchdog.beat()
            await anyio.sleep(BEAT_S)
    finally:
        watchdog.stopped.set()
        thread.join()


class _Watchdog:
    """What the loop and the thread share: when the loop last turned."""

    def __init__(self, thread: int) -> None:
        self.stopped = threading.Event()
        self._thread = thread
        self._beat_at = time.monotonic()
        self._reported: dict[tuple[str, str], float] = {}

    def beat(self) -> None:
        """Say that the loop turns."""
        self._beat_at = time.monotonic()

    def look_on(self) -> None:
        """Be the thread."""
        while not self.stopped.wait(BEAT_S):
            beat_at = self._beat_at
            if time.monotonic() - beat_at < LIMIT_S:
                continue
            self.stopped.wait(BEAT_S)  # a process that was stopped beats again in this time
            frame = sys._current_frames().get(self._thread)  # noqa: SLF001  # its only name
            if frame is not None and self._beat_at == beat_at:
                self._report(culprit(frame), self._wait_for_beat(beat_at))

    def _wait_for_beat(self, beat_at: float) -> float:
        """Return how long the loop stood still, or has so far after `PATIENCE_S`."""
        while self._beat_at == beat_at and time.monotonic() - beat_at < PATIENCE_S:
            if self.stopped.wait(BEAT_S):
                break
        ended_at = self._beat_at if self._beat_at != beat_at else time.monotonic()
        return ended_at - beat_at

    def _report(self, place: Place, seconds: float) -> None:
        now = time.monotonic()
        key = (place.file, place.function)
        if now - self._reported.get(key, -QUIET_S) < QUIET_S:
            return
        self._reported[key] = now
        log.warning(
            "loop.blocked",
            function=place.function,
            at=f"{place.file}:{place.line}",
            ms=round(seconds * 1000),
            advice="await instead, or use anyio.to_thread.run_sync",
        )


def _is_users(path: Path) -> bool:
    if path.is_relative_to(_PACKAGE):
        return path.is_relative_to(_EXAMPLES)
    return not (
        path.is_relative_to(_STDLIB)
        or "site-packages" in path.parts
        or str(path).startswith("<")  # <frozen importlib._bootstrap>, <string>
    )


def _place(frame: FrameType) -> Place:
    code = frame.f_code
    return Place(code.co_qualname, code.co_filename, frame.f_lineno)
