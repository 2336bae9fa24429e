"""Environments for programs of others: made once, kept in a folder that git ignores."""

import hashlib
import shutil
import subprocess
import sys
import venv
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

CACHE = Path(__file__).resolve().parents[2] / ".cache" / "compat"
_INSTALL_S = 900


class Unavailable(Exception):
    """An environment cannot be made here; the message says why."""


@dataclass(frozen=True, slots=True)
class Needs:
    """What a client needs."""

    tool: str
    """`pip` or `npm`."""
    packages: Sequence[str]
    """With their versions."""

    @property
    def folder(self) -> Path:
        """Where its environment is, a new one for other versions."""
        wanted = repr((self.tool, sorted(self.packages), sys.version_info[:2]))
        return CACHE / f"{self.tool}-{hashlib.sha256(wanted.encode()).hexdigest()[:12]}"

    @property
    def is_there(self) -> bool:
        """Whether its environment has been made."""
        return (self.folder / "complete").exists()

    def command(self, script: Path) -> list[str]:
        """Return how to run a client in its environment, making that if it is not there.

        Raises Unavailable.
        """
        if not self.is_there:
            self._make()
        if self.tool == "pip":
            return [str(_python(self.folder)), str(script)]
        # Node.js looks for packages beside the script.
        copy = self.folder / script.name
        shutil.copyfile(script, copy)
        return [_program("node"), str(copy)]

    def _make(self) -> None:
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir(parents=True)
        if self.tool == "pip":
            venv.create(self.folder, with_pip=True)
            install = [str(_python(self.folder)), "-m", "pip", "install", "--quiet"]
        else:
            (self.folder / "package.json").write_text('{"private": true}')
            install = [_program("npm"), "install", "--silent", "--no-audit", "--no-fund"]
        ran = subprocess.run(
            [*install, *self.packages],
            cwd=self.folder,
            capture_output=True,
            text=True,
            timeout=_INSTALL_S,
            check=False,
        )
        if ran.returncode:
            raise Unavailable(f"{' '.join(self.packages)}: {(ran.stderr or ran.stdout)[-500:]}")
        (self.folder / "complete").touch()


def _python(folder: Path) -> Path:
    return folder / ("Scripts/python.exe" if sys.platform == "win32" else "bin/python")


def _program(name: str) -> str:
    path = shutil.which(name)
    if path is None:
        raise Unavailable(f"{name} is not installed; install Node.js with npm")
    return path
