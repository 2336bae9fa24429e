"""Where a run takes place, and with which versions: what a figure is worth nothing without."""

import importlib.metadata
import os
import platform
from pathlib import Path

from benchmarks.results import Machine

_PACKAGES = ("turnkit", "anyio", "uvloop", "uvicorn", "websockets", "msgspec", "numpy", "openai")


def machine() -> Machine:
    """Describe this machine."""
    return Machine(
        cpu=_field(Path("/proc/cpuinfo"), "model name") or platform.processor() or "unknown",
        cores=len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else _cores(),
        memory_mib=_memory_mib(),
        system=f"{platform.system()} {platform.release()} {platform.machine()}",
        python=f"{platform.python_implementation()} {platform.python_version()}",
        loadavg=os.getloadavg()[0] if hasattr(os, "getloadavg") else 0.0,
    )


def versions() -> dict[str, str]:
    """Return the versions of the packages that the figures depend on, as far as they are here."""
    found = {}
    for name in _PACKAGES:
        try:
            found[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue
    return found


def _cores() -> int:
    return os.cpu_count() or 1


def _memory_mib() -> int:
    kib = _field(Path("/proc/meminfo"), "MemTotal").removesuffix(" kB")
    return int(kib) >> 10 if kib.isdigit() else 0


def _field(file: Path, name: str) -> str:
    """Return a field of one of Linux's own reports; empty where there is none."""
    try:
        lines = file.read_text(encoding="utf-8").splitlines()
    except OSError:
        return ""
    fields = (line.partition(":") for line in lines)
    return next((value.strip() for key, _, value in fields if key.strip() == name), "")
