"""All that a newcomer needs is Python: `python3 dev.py serve`, `python3 dev.py test`.

The first run makes an environment in `.venv` and installs turnkit into it; later runs are quick.

    python3 dev.py test [pytest's options]    run all tests
    python3 dev.py check                      format, lint, types and the quick tests
    python3 dev.py COMMAND ...                any turnkit command: serve, call, listen
"""

import hashlib
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent
VENV = ROOT / ".venv"
PYTHON = VENV / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
OLDEST = (3, 11)

RUN = ".[local,files,fast]"
DEVELOP = ".[dev,fast]"

CHECKS = [
    ["-m", "ruff", "format", "--check", "."],
    ["-m", "ruff", "check", "."],
    ["-m", "mypy"],
    ["-m", "pytest", "-q", "-n", "auto", "-m", "not network and not browser"],
]


def main(arguments: list[str]) -> int:
    """Prepare the environment, then do what was asked."""
    if sys.version_info < OLDEST:
        found = ".".join(map(str, sys.version_info[:2]))
        print(f"turnkit needs Python {OLDEST[0]}.{OLDEST[1]} or newer; this is {found}")
        return 2
    match arguments:
        case [] | ["-h" | "--help" | "help"]:
            print(__doc__)
            return 0
        case ["test", *options]:
            # On all cores: half of the tests wait for a clock, the other half compute.
            return prepare(DEVELOP) or run(
                "-m", "pytest", "-n", "auto", "--dist", "worksteal", *options
            )
        case ["check"]:
            return prepare(DEVELOP) or next((code for c in CHECKS if (code := run(*c))), 0)
        case _:
            return prepare(RUN) or run("-m", "turnkit", *arguments, folder=Path.cwd())


def prepare(what: str) -> int:
    """Make the environment if there is none, and install into it what is not there yet."""
    if not PYTHON.exists():
        print("making an environment in .venv (once) ...", flush=True)
        made = subprocess.run(
            [sys.executable, "-m", "venv", str(VENV)], capture_output=True, text=True, check=False
        )
        if made.returncode:
            print(made.stdout + made.stderr)
            print("Python's venv module does not work here; on Debian and Ubuntu:")
            print(f"  apt install python{sys.version_info[0]}.{sys.version_info[1]}-venv")
            return 2
    stamp = VENV / f"installed-{'dev' if what == DEVELOP else 'run'}"
    wanted = hashlib.sha256((ROOT / "pyproject.toml").read_bytes()).hexdigest()
    if stamp.exists() and stamp.read_text() == wanted:
        return 0
    print(f"installing turnkit{what[1:]} into .venv (once, well under a minute) ...", flush=True)
    code = run("-m", "pip", "install", "--quiet", "--disable-pip-version-check", "-e", what)
    if code:
        print("the packages could not be installed; is the package index reachable?")
        return code
    stamp.write_text(wanted)
    return 0


def run(*arguments: str, folder: Path = ROOT) -> int:
    """Run the environment's Python in a folder; Ctrl-C is for it to handle."""
    process = subprocess.Popen([str(PYTHON), *arguments], cwd=folder)
    while True:
        try:
            return process.wait()
        except KeyboardInterrupt:
            continue  # it has got the same signal


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
