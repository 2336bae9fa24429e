"""Environments of their own for what turnkit is measured against. The standard library only.

Each is made in `.cache/peers`, of this interpreter, with the versions pinned that decide a figure.
What is there already is left alone; what has changed is made anew.
"""

import hashlib
import importlib.metadata
import json
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

_ROOT = Path(__file__).resolve().parents[2]
FOLDER = _ROOT / ".cache" / "peers"
_INSTALL_S = 1800

Say = Callable[[str], None]


class NotInstalled(Exception):
    """An environment is missing, or could not be made; says what to do."""


@dataclass(frozen=True, slots=True)
class Installed:
    """A package that is installed."""

    name: str
    version: str
    shipped_bytes: int
    bytecode_bytes: int
    """Of what pip compiles."""

    @property
    def bytes(self) -> int:
        """All of it."""
        return self.shipped_bytes + self.bytecode_bytes


@dataclass(frozen=True, slots=True)
class Environment:
    """What is installed, and where."""

    name: str
    requirements: tuple[str, ...]
    """What its documentation has one install, for the services of the load suites."""
    besides: tuple[str, ...] = ()
    """What the benchmark adds; it is not in the size."""

    @property
    def folder(self) -> Path:
        """Where it is."""
        return FOLDER / self.name

    @property
    def python(self) -> str:
        """Its interpreter, whether it exists or not."""
        place = "Scripts/python.exe" if sys.platform == "win32" else "bin/python"
        return str(self.folder / place)

    @property
    def ready(self) -> bool:
        """Whether it is there, as it is wanted now."""
        return self._stamp.exists() and json.loads(self._stamp.read_text())["of"] == self._mark

    @property
    def installed(self) -> tuple[int, int]:
        """How many bytes its packages took when they were installed, and how many packages.

        Raises NotInstalled.
        """
        if not self.ready:
            raise NotInstalled(missing(self.name))
        found = json.loads(self._stamp.read_text())
        return int(found["size_bytes"]), int(found["packages"])

    def packages(self) -> list[Installed]:
        """Look at what is installed, package by package."""
        return [_installed(one) for one in importlib.metadata.distributions(path=[str(self._site)])]

    @property
    def _stamp(self) -> Path:
        return self.folder / "installed.json"

    @property
    def _mark(self) -> str:
        wanted = [sys.version, *self.requirements, *self.besides]
        if any(_is_here(what) for what in self.requirements):
            project = tomllib.loads((_ROOT / "pyproject.toml").read_text())["project"]
            extras = project["optional-dependencies"]
            wanted += [*project["dependencies"], *extras["openai"], *extras["fast"]]
        return hashlib.sha256("\n".join(wanted).encode()).hexdigest()

    def install(self, say: Say) -> None:
        """Make it, unless it is there. Raises NotInstalled if that fails."""
        if self.ready:
            say(f"{self.name}: is there")
            return
        say(f"{self.name}: making {self.folder}")
        shutil.rmtree(self.folder, ignore_errors=True)
        _run(sys.executable, "-m", "venv", "--without-pip", str(self.folder))
        self._add(self.requirements)
        size, packages = measure(self._site)
        if self.besides:
            self._add(self.besides)
        found = {"of": self._mark, "size_bytes": size, "packages": packages}
        self._stamp.write_text(json.dumps(found))
        say(f"{self.name}: {size / 1e6:.0f} MB, {packages} packages")

    def _add(self, what: tuple[str, ...]) -> None:
        _run(sys.executable, "-m", "pip", "--python", self.python, "install", *what)

    @property
    def _site(self) -> Path:
        lib = self.folder / "lib" / f"python{sys.version_info[0]}.{sys.version_info[1]}"
        return (self.folder / "Lib" if sys.platform == "win32" else lib) / "site-packages"


_OPENAI = "openai==3.51.0"  # the same for all, for it is much of what is measured
ENVIRONMENTS: dict[str, Environment] = {
    environment.name: environment
    for environment in (
        Environment(
            "pipecat",
            ("pipecat-ai[deepgram,openai,websocket]==1.14.0", "uvicorn==0.54.0", _OPENAI),
            ("uvloop==0.23.0",),
        ),
        Environment(
            "livekit",
            (
                "livekit-agents==1.8.9",
                "livekit-plugins-deepgram==1.8.9",
                "livekit-plugins-openai==1.8.9",
                _OPENAI,
            ),
            ("uvloop==0.23.0",),
        ),
        Environment("turnkit-base", (".",)),
        Environment("turnkit-openai", (".[openai,fast]", _OPENAI)),
    )
}


def missing(name: str) -> str:
    """Say that an environment is not there, and what to do."""
    return f"{name} is not installed, or is outdated; run: turnkit bench --install"


def measure(site: Path) -> tuple[int, int]:
    """Return the bytes of all files in a folder of packages, and how many packages there are."""
    size = sum(path.stat().st_size for path in site.rglob("*") if path.is_file())
    return size, len(list(site.glob("*.dist-info")))


def _installed(package: importlib.metadata.Distribution) -> Installed:
    shipped = compiled = 0
    for file in package.files or ():
        path = Path(str(package.locate_file(file)))
        if path.is_file():
            size = path.stat().st_size
            shipped += size * (path.suffix != ".pyc")
            compiled += size * (path.suffix == ".pyc")
    return Installed(package.metadata["Name"], package.version, shipped, compiled)


def _is_here(requirement: str) -> bool:
    return requirement == "." or requirement.startswith(".[")


def _run(*command: str) -> None:
    """Run something, its output where ours goes. Raises NotInstalled if it fails."""
    try:
        done = subprocess.run(command, cwd=_ROOT, check=False, timeout=_INSTALL_S)
    except subprocess.TimeoutExpired:
        raise NotInstalled(f"not done after {_INSTALL_S} s: {' '.join(command)}") from None
    if done.returncode:
        raise NotInstalled(f"this failed, see above: {' '.join(command)}")
