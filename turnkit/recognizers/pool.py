"""All recognizers of a server: in processes of their own, started once and used by every call.

A process that dies is replaced at once, but only so often: what kills one will kill the next.
"""

import os
import pickle
import threading
import time
from collections import deque
from dataclasses import dataclass
from weakref import finalize

import structlog

from turnkit.config import Settings
from turnkit.errors import ConfigError
from turnkit.recognizers.base import RATE_HZ, Keyterms, OpenRecognizer, Recognizer, SpeechModel
from turnkit.recognizers.link import Link
from turnkit.recognizers.remote import RemoteRecognizer

log = structlog.get_logger(__name__)

RESTARTS = 3
RESTARTS_IN_S = 60.0
"""So often may processes be replaced in such a time; then calls go on without words."""

READY_S = 5.0
"""How long a call waits, in a worker thread, for a model that is still being loaded."""

_MOST_WORKERS = 4


@dataclass(frozen=True, slots=True)
class Load:
    """How things stand."""

    workers: int
    """Processes there are."""
    streams: int
    """Streams they hear."""
    memory_mb: float
    """What they take together."""
    lost: int
    """Processes that died, all in all."""
    skipped_s: float
    """Audio that was not heard, because they were behind, dead or not there yet."""


class Recognizers:
    """Opens recognizers. Safe for several threads; nothing is loaded or started before `start`.

    With no workers it loads the model into this process, when the first recognizer is opened.
    """

    def __init__(self, model: SpeechModel, workers: int = 0) -> None:
        self.trusted = model.trusted
        self._model = model
        self._pickled = b""
        self._wanted = workers if model.apart else 0
        self._lock = threading.Lock()
        self._links: list[Link] = []
        self._started = False
        self._lost_at: deque[float] = deque(maxlen=RESTARTS + 1)
        self._lost = 0
        self._failed = False
        self._skipped_samples = 0
        self._open_here: OpenRecognizer | None = None
        self._finalizer = finalize(self, _close_all, self._links)

    def start(self) -> None:
        """Start the processes and return; they load the model meanwhile. Once is enough.

        Raises ConfigError if the model cannot be sent to another process.
        """
        with self._lock:
            if not self._started and self._finalizer.alive:
                self._pickled = _pickled(self._model)
                self._started = True
                for _ in range(self._wanted):
                    self._launch()

    def open(self, keyterms: Keyterms = ()) -> Recognizer:
        """Return a recognizer for one stream; blocks while the model is loaded, 5 s at most."""
        if not self._wanted:
            return self._opened_here(keyterms)
        self.start()
        if (link := self.link()) is not None:
            link.wait_ready(READY_S)
        return RemoteRecognizer(self, keyterms, trusted=self.trusted)

    def close(self) -> None:
        """End all processes; takes 2 s at most for each. Recognizers go on without words."""
        with self._lock:
            self._finalizer.detach()
            links = self._links[:]
            self._links.clear()
        _close_all(links)

    @property
    def load(self) -> Load:
        """How things stand."""
        with self._lock:
            links = [link for link in self._links if link.alive]
        return Load(
            workers=len(links),
            streams=sum(len(link) for link in links),
            memory_mb=sum(link.memory_mb for link in links),
            lost=self._lost,
            skipped_s=self._skipped_samples / RATE_HZ,
        )

    @property
    def pids(self) -> tuple[int, ...]:
        """The numbers of the processes."""
        with self._lock:
            return tuple(link.pid for link in self._links if link.alive)

    def link(self) -> Link | None:
        """Return the process with the least to do, one that is ready if there is; None if none."""
        with self._lock:
            links = [link for link in self._links if link.alive]
        return min(links, key=lambda link: (not link.ready, len(link)), default=None)

    def note_skipped(self, samples: int) -> None:
        """Count audio that was not heard."""
        self._skipped_samples += samples

    def _opened_here(self, keyterms: Keyterms) -> Recognizer:
        with self._lock:
            if self._open_here is None:
                self._open_here = self._model.load()
        return self._open_here(keyterms)

    def _launch(self) -> bool:
        """Start a process, and say whether there was one to be had."""
        try:
            self._links.append(Link(self._pickled, self._bury))
        except OSError as exc:
            log.error("recognizer.not_started", reason=str(exc), effect="turns say [speech]")
            return False
        return True

    def _bury(self, link: Link) -> None:
        """Replace a process that has died, unless that would be the fourth in a minute."""
        now = time.monotonic()
        with self._lock:
            if link in self._links:
                self._links.remove(link)
            self._lost += 1
            self._lost_at.append(now)
            often = len(self._lost_at) > RESTARTS and now - self._lost_at[0] < RESTARTS_IN_S
            self._failed = self._failed or link.failure is not None
            again = self._finalizer.alive and not often and not self._failed
            again = again and self._launch()
        if link.failure is not None:
            log.error("recognizer.failed", reason=link.failure, effect="turns say [speech]")
        else:
            log.error("recognizer.died", exit_code=link.exit_code, calls=len(link), replaced=again)


def recognizers_of(model: SpeechModel, settings: Settings) -> Recognizers:
    """Return what opens recognizers of this model, with as many processes as the settings say."""
    workers = settings.recognizer_workers
    return Recognizers(model, _sensible(settings.workers) if workers is None else workers)


def _sensible(servers: int) -> int:
    """Return half the cores, shared among so many server processes: at least one, at most four."""
    cores = os.cpu_count() or 1
    return min(max(1, cores // 2 // servers), _MOST_WORKERS)


def _pickled(model: SpeechModel) -> bytes:
    try:
        return pickle.dumps(model)
    except (pickle.PicklingError, AttributeError, TypeError) as exc:
        raise ConfigError(
            f"recognizer {type(model).__name__} cannot be sent to a process of its own: {exc}; "
            "make it a dataclass at the top of its module, or set recognizer_workers = 0"
        ) from None


def _close_all(links: list[Link]) -> None:
    for link in links:
        link.close()
