"""What a subject costs before the first call: its size, its import, its start, its memory.

Each is taken in a fresh environment (`environments`), and each time in a new process. What is
imported is what the subject's own program imports, so a package that imports late gains nothing.
"""

import subprocess
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import median
from time import monotonic

import anyio
import msgspec
from rich.console import Console

from benchmarks.load.environments import ENVIRONMENTS, Environment
from benchmarks.load.processes import LoadFailed, Placement, subject, usage
from benchmarks.load.providers import Addresses
from benchmarks.load.results import Footprint
from benchmarks.load.subjects import SUBJECTS, Subject

_TIMES = 5
_IMPORT_LIMIT_S = 60.0
_SETTLE_S = 0.3
_NOWHERE = Addresses(
    flux="ws://127.0.0.1:9/v2/listen",
    model="http://127.0.0.1:9/v1",
    voice="ws://127.0.0.1:9/v1/speak",
    model_http2="",
    authority="",
)
_IMPORT = """
import runpy, sys, time
began = time.process_time()
runpy.run_path(sys.argv[1], run_name="imported")
print("[%f, %d]" % (time.process_time() - began, len(sys.modules)))
"""


@dataclass(frozen=True, slots=True)
class Fresh:
    """A subject in an environment of its own."""

    title: str
    environment: Environment
    subject: Subject


FRESH: dict[str, Fresh] = {
    name: Fresh(title, ENVIRONMENTS[environment], SUBJECTS[name])
    for name, title, environment in (
        ("turnkit", "turnkit[openai,fast]", "turnkit-openai"),
        ("pipecat", "pipecat-ai[deepgram,openai,websocket]", "pipecat"),
        ("livekit", "livekit-agents[deepgram,openai]", "livekit"),
    )
}


async def footprints(
    names: Sequence[str], place: Placement, logs: Path, console: Console, *, times: int = _TIMES
) -> list[Footprint]:
    """Take the footprints of the subjects that have one, in turn. Raises LoadFailed, NotInstalled.

    Args:
        names: of subjects; those without an environment of their own are left out.
        place: where they run.
        logs: where what they say goes.
        console: where progress is shown.
        times: how often each is imported and started.
    """
    chosen = [FRESH[name] for name in names if name in FRESH]
    imports: dict[str, list[tuple[float, int]]] = {one.title: [] for one in chosen}
    starts: dict[str, list[tuple[float, float]]] = {one.title: [] for one in chosen}
    await anyio.Path(logs).mkdir(parents=True, exist_ok=True)
    for number in range(times + 1):  # the first time, files are read, and bytecode is written
        for one in chosen:
            what = replace(one.subject, python=one.environment.python)
            with console.status(f"{one.title}: import and start, {number} of {times}"):
                imported = await anyio.to_thread.run_sync(_import, what)
                started = await _start(what, place, logs / f"{what.name}-start.log")
            if number:
                imports[one.title].append(imported)
                starts[one.title].append(started)
    found = [
        footprint(
            sized(one.title, one.environment.installed), imports[one.title], starts[one.title]
        )
        for one in chosen
    ]
    base = ENVIRONMENTS["turnkit-base"]
    if any(one.subject.name == "turnkit" for one in chosen):
        found.insert(0, sized("turnkit", base.installed))
    return found


def footprint(
    size: Footprint, imports: Sequence[tuple[float, int]], starts: Sequence[tuple[float, float]]
) -> Footprint:
    """Put together what was measured of a subject.

    Args:
        size: of what is installed.
        imports: processor seconds and modules of each time.
        starts: seconds and MiB of each time.
    """
    return msgspec.structs.replace(
        size,
        import_s=median(seconds for seconds, _ in imports),
        modules=round(median(modules for _, modules in imports)),
        ready_s=median(seconds for seconds, _ in starts),
        rss_mib=median(mib for _, mib in starts),
    )


def sized(title: str, installed: tuple[int, int]) -> Footprint:
    """Return the footprint of what is installed but not run, by its bytes and packages."""
    size_bytes, packages = installed
    return Footprint(title, size_bytes / 1e6, packages, 0.0, 0, 0.0, 0.0)


def _import(what: Subject) -> tuple[float, int]:
    command = [what.python, "-c", _IMPORT, str(what.program)]
    try:
        done = subprocess.run(
            command,
            cwd=what.program.parent,
            capture_output=True,
            check=True,
            timeout=_IMPORT_LIMIT_S,
        )
    except subprocess.CalledProcessError as exc:
        said = exc.stderr.decode(errors="replace")[-400:]
        raise LoadFailed(f"{what.name} cannot be imported: {said}") from exc
    except subprocess.TimeoutExpired:
        raise LoadFailed(f"{what.name}: no import within {_IMPORT_LIMIT_S:.0f} s") from None
    return msgspec.json.decode(done.stdout.splitlines()[-1], type=tuple[float, int])


async def _start(what: Subject, place: Placement, log: Path) -> tuple[float, float]:
    began_at = monotonic()
    async with subject(what, _NOWHERE, place, log) as (pid, _):
        ready_s = monotonic() - began_at
        await anyio.sleep(_SETTLE_S)
        return ready_s, usage(pid).rss_bytes / (1 << 20)
