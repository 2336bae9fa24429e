"""Fuzz the targets, one after the other; see the package's docstring."""

import argparse
import importlib.util
import re
import shutil
import subprocess
import sys
import sysconfig
import time
import venv
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.progress import Progress, TaskID
from rich.table import Table

from benchmarks.fuzz.targets import TARGETS

_ROOT = Path(__file__).resolve().parents[2]
_CACHE = _ROOT / ".cache" / "fuzz"
_ATHERIS = "atheris==3.0.0"  # wheels for Python 3.11 to 3.14 on x86-64 Linux
_PULSE = re.compile(r"#(\d+)\s+(?:INITED|NEW|REDUCE|RELOAD|pulse|DONE).*cov: (\d+)")
_OPTIONS = ("-max_len=4096", "-timeout=20", "-rss_limit_mb=3000", "-print_final_stats=0")


@dataclass(slots=True)
class Outcome:
    """What came of one target."""

    name: str
    inputs: int = 0
    places: int = 0
    """How many places in the code were reached."""
    seconds: float = 0.0
    reproducer: Path | None = None
    said: str = ""


def main() -> int:
    """Fuzz those that were asked for, and print the table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.fuzz", description=__doc__)
    parser.add_argument("targets", nargs="*", metavar="TARGET", help=f"of {', '.join(TARGETS)}")
    parser.add_argument("--runs", type=int, default=1_000_000, help="inputs a target")
    parser.add_argument("--seed", type=int, default=1, help="libFuzzer's, for what it draws")
    parser.add_argument("--again", type=Path, help="feed this file to the target, once")
    options = parser.parse_args()
    if unknown := set(options.targets) - set(TARGETS):
        parser.error(f"unknown: {', '.join(sorted(unknown))}; there are {', '.join(TARGETS)}")
    if options.again is not None:
        if len(options.targets) != 1:
            parser.error("--again needs one target")
        TARGETS[options.targets[0]](options.again.read_bytes())
        print("no error")
        return 0
    console = Console(highlight=False)
    python = _python(console)
    if python is None:
        return 2
    with Progress(console=console) as progress:
        bars = {
            name: progress.add_task(name, total=options.runs) for name in options.targets or TARGETS
        }
        outcomes = [_fuzz(python, name, options, (progress, bar)) for name, bar in bars.items()]
    _print(outcomes, console)
    return 1 if any(outcome.reproducer or outcome.said for outcome in outcomes) else 0


def _python(console: Console) -> Path | None:
    """Return an interpreter that has atheris and all of turnkit's packages."""
    if importlib.util.find_spec("atheris") is not None:
        return Path(sys.executable)
    folder = _CACHE / f"python{sys.version_info[0]}.{sys.version_info[1]}"
    python = folder / "bin" / "python"
    if (folder / "complete").exists():
        return python
    console.print(f"installing {_ATHERIS} into {folder.relative_to(_ROOT)} (once) ...")
    shutil.rmtree(folder, ignore_errors=True)
    venv.create(folder, with_pip=True)
    install = [str(python), "-m", "pip", "install", "--quiet", _ATHERIS]
    ran = subprocess.run(install, capture_output=True, text=True, check=False)
    if ran.returncode:
        console.print(f"{_ATHERIS} cannot be installed here: {ran.stderr[-500:]}", markup=False)
        return None
    # It borrows the packages of the interpreter that runs this, which is of the same version.
    (here,) = folder.glob("lib/python*/site-packages")
    (here / "borrowed.pth").write_text(f"{sysconfig.get_path('purelib')}\n{_ROOT}\n")
    (folder / "complete").touch()
    return python


def _fuzz(
    python: Path, name: str, options: argparse.Namespace, shown: tuple[Progress, TaskID]
) -> Outcome:
    outcome = Outcome(name)
    corpus = _CACHE / "corpus" / name
    corpus.mkdir(parents=True, exist_ok=True)
    for number, seed in enumerate(TARGETS[name].seeds):
        (corpus / f"seed-{number}").write_bytes(seed)
    crashes = _CACHE / "crashes" / name
    crashes.mkdir(parents=True, exist_ok=True)
    before = set(crashes.iterdir())
    began = time.monotonic()
    command = [str(python), "-m", "benchmarks.fuzz.run", name, *_OPTIONS]
    command += [f"-runs={options.runs}", f"-seed={options.seed}", f"-artifact_prefix={crashes}/"]
    process = subprocess.Popen(
        [*command, str(corpus)],
        cwd=_ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
    )
    said: list[str] = []
    assert process.stdout is not None
    for line in process.stdout:
        if found := _PULSE.match(line):
            outcome.inputs, outcome.places = int(found[1]), int(found[2])
            shown[0].update(shown[1], completed=outcome.inputs)
        else:
            said = [*said[-40:], line]
    outcome.seconds = time.monotonic() - began
    new = set(crashes.iterdir()) - before
    outcome.reproducer = min(new, default=None)
    if process.wait() or new:
        outcome.said = "".join(said)
    return outcome


def _print(outcomes: list[Outcome], console: Console) -> None:
    table = Table("target", "inputs", "a second", "places reached", "")
    for outcome in outcomes:
        table.add_row(
            outcome.name,
            f"{outcome.inputs:,}",
            f"{outcome.inputs / max(outcome.seconds, 1e-9):,.0f}",
            str(outcome.places),
            "[red]failed[/]" if outcome.said else "[green]held[/]",
        )
    console.print(table)
    for outcome in outcomes:
        if outcome.said:
            console.print(outcome.said, markup=False)
        if outcome.reproducer is not None:
            file = outcome.reproducer.relative_to(_ROOT)
            console.print(f"again: python -m benchmarks.fuzz --again {file} {outcome.name}")


if __name__ == "__main__":
    sys.exit(main())
