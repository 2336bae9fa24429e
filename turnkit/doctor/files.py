"""From the files a user gives the doctor to findings: which is what, and how much of it is read."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TextIO

from turnkit.doctor.engine_log import EngineLog
from turnkit.doctor.engine_toml import read_toml
from turnkit.doctor.finding import Finding, doubtful
from turnkit.errors import ConfigError

MAX_TOML_BYTES = 1 << 20
MAX_LOG_CHARS = 500_000_000
"""A week of a busy engine. What comes after is not read, and we say so."""

_LINE_CHARS = 4096  # the telling words come early in a line


def read_files(paths: Sequence[Path], model: str) -> Iterator[Finding]:
    """Look at engine.toml, api.toml and logs, in any order. Raises ConfigError.

    Args:
        paths: those that end in .toml are configuration, the others are logs.
        model: which one turnkit will ask for.
    """
    for path in paths:
        if not path.is_file():
            what = "is no file" if path.exists() else "is not there"
            raise ConfigError(f"{path} {what}; give engine.toml, api.toml or a log")
    disabled = False
    for path in sorted(paths, key=lambda path: path.suffix != ".toml"):
        found = list(_look(path, model))
        disabled = disabled or any("[flux]" in finding.what for finding in _bad(found))
        if path.suffix != ".toml" and disabled:
            found = [_in_this_light(finding) for finding in found]
        yield from found


def _look(path: Path, model: str) -> Iterator[Finding]:
    try:
        if path.suffix == ".toml":
            yield from _read_toml(path, model)
        else:
            yield from _read_log(path)
    except OSError as exc:
        raise ConfigError(f"{path} cannot be read: {exc.strerror or exc}") from exc


def _read_toml(path: Path, model: str) -> list[Finding]:
    if path.stat().st_size > MAX_TOML_BYTES:
        raise ConfigError(f"{path} is larger than {MAX_TOML_BYTES} bytes; is it a configuration?")
    return read_toml(path.read_text("utf-8", errors="replace"), path.name, model)


def _read_log(path: Path) -> Iterator[Finding]:
    log = EngineLog(path.name)
    with path.open(encoding="utf-8", errors="replace") as file:
        log.read(_lines(file))
        cut = file.read(1) != ""
    yield from log.findings()
    if cut:
        advice = "give the part of the log since the engine's last start"
        what = f"only its first {MAX_LOG_CHARS:,} characters were read"
        yield doubtful(what, path.name, advice)


def _lines(file: TextIO) -> Iterator[str]:
    """Yield the lines of a log, long ones in parts."""
    left = MAX_LOG_CHARS
    while left > 0 and (line := file.readline(_LINE_CHARS)):
        left -= len(line)
        yield line


def _bad(found: Sequence[Finding]) -> list[Finding]:
    return [finding for finding in found if finding.grade == "bad"]


def _in_this_light(finding: Finding) -> Finding:
    """Say of a log what is known from the configuration: the file is there, and disabled."""
    if finding.grade == "bad" and "never started" in finding.what:
        return replace(finding, what=f"{finding.what}: it is disabled in engine.toml")
    return finding
