"""What the figures were measured on, and with which versions."""

import os
import platform
import subprocess
from pathlib import Path

import msgspec
import psutil  # type: ignore[import-untyped]  # its stubs are a package of their own

from benchmarks.load.processes import Placement
from benchmarks.load.results import Machine
from benchmarks.load.subjects import Subject

_VERSIONS = """
import importlib.metadata, json, sys
found = {"python": sys.version.split()[0]}
for name in sys.argv[1:]:
    try:
        found[name] = importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        found[name] = "not installed"
print(json.dumps(found))
"""


def machine() -> Machine:
    """Describe this machine."""
    return Machine(
        cpu=_cpu(),
        cores=psutil.cpu_count() or 1,
        memory_mib=psutil.virtual_memory().total >> 20,
        system=f"{platform.system()} {platform.release()}",
        python=platform.python_version(),
        loadavg=os.getloadavg()[0] if hasattr(os, "getloadavg") else 0.0,
    )


def versions(subject: Subject) -> dict[str, str]:
    """Ask a subject's own interpreter for the versions of its packages."""
    found = subprocess.run(
        [subject.python, "-c", _VERSIONS, *subject.packages],
        capture_output=True,
        check=True,
        timeout=30,
    )
    return msgspec.json.decode(found.stdout, type=dict[str, str])


def describe(place: Placement) -> str:
    """Say where what ran."""
    if not place.subject:
        return "nothing is pinned: one core, or a system that cannot"
    subject, harness = (",".join(map(str, cores)) for cores in (place.subject, place.harness))
    kind = "real-time priority" if place.realtime else "ordinary priority"
    return f"subject on core {subject}, providers and callers on core {harness}; {kind}"


def _cpu() -> str:
    info = Path("/proc/cpuinfo")
    if not info.exists():
        return platform.processor() or platform.machine()
    fields = [line.partition(":") for line in info.read_text().splitlines()]
    known = {name.strip(): value.strip() for name, _, value in fields}
    return f"{known.get('model name', platform.machine())} (family {known.get('cpu family', '?')})"
