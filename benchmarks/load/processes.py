"""Starting the processes of a run, each on its core, telling them what to do, and ending them.

Only processes that were started here are ever signalled, by their own handle.
"""

import os
import socket
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from subprocess import PIPE
from typing import TypeVar

import anyio
import msgspec
import psutil  # type: ignore[import-untyped]  # its stubs are a package of their own
from anyio.abc import Process
from anyio.streams.buffered import BufferedByteReceiveStream

from benchmarks.load.providers import Addresses
from benchmarks.load.subjects import Subject

T = TypeVar("T")

ROOT = Path(__file__).resolve().parents[2]
_START_S = 40.0
_STOP_S = 8.0
_ANSWER_BYTES = 1 << 20


class LoadFailed(Exception):
    """A run could not be carried out; says why, and where to look."""


def first_of(error: BaseException) -> BaseException:
    """Return the error in a group of them, however deep."""
    return first_of(error.exceptions[0]) if isinstance(error, BaseExceptionGroup) else error


@dataclass(frozen=True, slots=True)
class Placement:
    """On which cores what runs. Empty where nothing can be pinned."""

    subject: tuple[int, ...] = ()
    harness: tuple[int, ...] = ()
    realtime: bool = False
    """Whether all of them run at a real-time priority, so that other work does not hold them up."""

    def __str__(self) -> str:
        """Say where what runs."""
        kind = "real-time priority" if self.realtime else "ordinary priority"
        if not self.subject:
            return f"nothing is pinned: the load has no core that is its own; {kind}"
        subject, harness = (",".join(map(str, cores)) for cores in (self.subject, self.harness))
        return f"subject on core {subject}, providers and callers on core {harness}; {kind}"


def placement(*, realtime: bool = False, workers: int = 1) -> Placement:
    """Give the subject the last cores, one for each of its workers, and the load the others."""
    if not hasattr(os, "sched_getaffinity"):
        return Placement()
    cores = sorted(os.sched_getaffinity(0))
    if len(cores) <= workers:
        return Placement(realtime=realtime)
    return Placement(tuple(cores[-workers:]), tuple(cores[:-workers]), realtime)


class Worker:
    """A process of the load (`worker`), and its answers."""

    def __init__(self, process: Process, name: str) -> None:
        self.name = name
        self.pid = process.pid
        assert process.stdout is not None
        self._process = process
        self._answers = BufferedByteReceiveStream(process.stdout)

    async def answer(self, kind: type[T], limit_s: float) -> T:
        """Wait for what it says. Raises LoadFailed."""
        try:
            with anyio.fail_after(limit_s):
                line = await self._answers.receive_until(b"\n", _ANSWER_BYTES)
        except TimeoutError:
            raise LoadFailed(f"the {self.name} said nothing for {limit_s:.0f} s") from None
        except (anyio.IncompleteRead, anyio.EndOfStream):
            raise LoadFailed(f"the {self.name} have ended; what they said is above") from None
        return msgspec.json.decode(line, type=kind)

    async def order(self, do: str, with_: object, kind: type[T], limit_s: float = 30.0) -> T:
        """Have something done; return what came of it. Raises LoadFailed."""
        assert self._process.stdin is not None
        await self._process.stdin.send(msgspec.json.encode({"do": do, "with": with_}) + b"\n")
        return await self.answer(kind, limit_s)


@asynccontextmanager
async def worker(
    module: str, place: Placement, *, beside_subject: bool = False
) -> AsyncIterator[Worker]:
    """Start a process of the load; it ends with the block.

    Args:
        module: which.
        place: where.
        beside_subject: on the subject's cores, and above its priority.
    """
    command = [sys.executable, "-m", f"benchmarks.load.{module}"]
    # In a session of its own: what a terminal's Ctrl-C ends is who started it, and that ends it.
    async with await anyio.open_process(
        command, stderr=None, cwd=ROOT, start_new_session=True
    ) as process:
        if beside_subject:
            _put(process.pid, place.subject, place, priority=2)
        else:
            _put(process.pid, place.harness, place)
        with _ending(process):
            yield Worker(process, module)
        await _ended(process)


@asynccontextmanager
async def subject(
    what: Subject, addresses: Addresses, place: Placement, log: Path, *, http2: bool = False
) -> AsyncIterator[tuple[int, int]]:
    """Start a subject; yields its process id and port once it takes connections.

    Raises LoadFailed if it does not.
    """
    model = addresses.model_http2 if http2 else addresses.model
    port = _free_port()
    command = [what.python, *what.wrapper, str(what.program), "--port", str(port)]
    command += ["--flux", addresses.flux, "--llm", model, "--voice", addresses.voice]
    command += what.options
    with log.open("wb") as said:  # closed again at once: the subject has its own copy
        process = await anyio.open_process(
            command,
            stdin=PIPE,
            stdout=said,
            stderr=said,
            cwd=what.program.parent,
            env={**os.environ, "SSL_CERT_FILE": addresses.authority},
            start_new_session=True,
        )
    async with process:
        _put(process.pid, place.subject, place)
        with _ending(process):
            await _accepting(process, port, what.name)
            yield process.pid, port
        await _ended(process)


@contextmanager
def _ending(process: Process) -> Iterator[None]:
    try:
        yield
    finally:
        if process.returncode is None:
            process.terminate()


async def _ended(process: Process) -> None:
    with anyio.move_on_after(_STOP_S, shield=True):
        await process.wait()
    if process.returncode is None:
        process.kill()


async def _accepting(process: Process, port: int, name: str) -> None:
    with anyio.move_on_after(_START_S):
        while process.returncode is None:
            try:
                async with await anyio.connect_tcp("127.0.0.1", port):
                    return
            except OSError:
                await anyio.sleep(0.01)  # the time until then is measured, too
    raise LoadFailed(f"subject {name} took no connection within {_START_S:.0f} s; see its log")


def _put(pid: int, cores: tuple[int, ...], place: Placement, priority: int = 1) -> None:
    if cores:
        os.sched_setaffinity(pid, cores)
    if place.realtime:
        try:
            os.sched_setscheduler(pid, os.SCHED_FIFO, os.sched_param(priority))
        except PermissionError:
            raise LoadFailed("no right to a real-time priority; leave out --realtime") from None


def _free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port: int = taken.getsockname()[1]
        return port


@dataclass(frozen=True, slots=True)
class Usage:
    """What a process and its children have used."""

    cpu_s: float
    rss_bytes: int


def usage(pid: int) -> Usage:
    """Look at a process and its children."""
    top = psutil.Process(pid)
    cpu_s = rss = 0.0
    for process in (top, *top.children(recursive=True)):
        try:
            times, memory = process.cpu_times(), process.memory_info()
        except psutil.NoSuchProcess:
            continue
        cpu_s += times.user + times.system
        rss += memory.rss
    return Usage(cpu_s, int(rss))


def stolen(cores: tuple[int, ...]) -> float:
    """Return how many seconds the host has taken from these cores so far, where that is known."""
    times = psutil.cpu_times(percpu=True)
    return float(sum(getattr(times[core], "steal", 0.0) for core in cores))
