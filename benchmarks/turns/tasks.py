"""Many hearings at once: in processes for the embedded engine, in connections for a server."""

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Final

from benchmarks.turns.hearings import Endpoint, run
from benchmarks.turns.local import BEST, LocalEndpoint
from benchmarks.turns.manifest import Recording
from benchmarks.turns.pool import carried_out, processes
from benchmarks.turns.remote import RemoteEndpoint
from benchmarks.turns.runs import Run
from turnkit.sources.flux_query import ListenParameters

LOCAL: Final = "local"


@dataclass(frozen=True, slots=True)
class Spec:
    """Which endpoint, and how; it goes to other processes."""

    address: str = LOCAL
    """`local`, or a server's `ws://` or `wss://` address."""
    recognizer: str = BEST
    """Who hears words for the embedded engine."""
    smart_turn: str | None = None
    """Its second opinion: an onnx file, or `auto`."""
    pace: float = 1.0
    """How fast a server is sent audio, in multiples of real time; 0: as fast as it takes it."""
    connections: int = 4
    """How many at once a server is asked for."""
    key: str | None = None

    @property
    def is_local(self) -> bool:
        """Whether it is the embedded engine, in this machine's own processes."""
        return self.address == LOCAL

    def open(self) -> Endpoint:
        """Return the endpoint. Raises ConfigError."""
        if self.is_local:
            return LocalEndpoint(self.recognizer, self.smart_turn)
        return RemoteEndpoint(self.address, key=self.key, pace=self.pace)


@dataclass(frozen=True, slots=True)
class Task:
    """One recording to be heard."""

    spec: Spec
    recording: Recording
    asked: ListenParameters
    shift: int = 0
    traced: bool = True


def carry_out(task: Task) -> Run:
    """Have one recording heard. Raises ConfigError."""
    return run(task.spec.open(), task.recording, task.asked, shift=task.shift, traced=task.traced)


def carry_out_all(tasks: Sequence[Task]) -> Iterator[Run]:
    """Give the runs as they are done, the longest recordings begun first. Raises ConfigError."""
    ordered = sorted(tasks, key=lambda task: -task.recording.duration_s)
    if ordered:
        spec = ordered[0].spec
        executor = processes() if spec.is_local else ThreadPoolExecutor(spec.connections)
        yield from carried_out(carry_out, ordered, executor)
