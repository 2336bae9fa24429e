"""Writes a conversation down, a JSON line for each thing that happened; and reads it again.

The first line says which version of the format it is. What people said is in it: a trace is
written only where `trace` names a folder for it.
"""

import json
import tempfile
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

from turnkit.errors import ConfigError
from turnkit.listeners import base
from turnkit.listeners.base import Item, named
from turnkit.turn import commands, events

VERSION = 1


def prepare_folder(folder: Path) -> None:
    """Make sure that traces can be written there. Raises ConfigError."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        tempfile.TemporaryFile(dir=folder).close()
    except OSError as exc:
        raise ConfigError(
            f"trace: nothing can be written to {folder} ({exc.strerror or exc}); name a folder"
        ) from None


class Trace:
    """A listener that writes to a file, a few kilobytes at a time."""

    def __init__(self, path: Path) -> None:
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._file = path.open("w", encoding="utf-8")
        except OSError as exc:
            raise ConfigError(f"trace {path} cannot be written: {exc.strerror or exc}") from None
        path.chmod(0o600)
        self._file.write(json.dumps({"turnkit": "trace", "version": VERSION}) + "\n")

    def note(self, at: float, item: Item) -> None:
        """Write a line."""
        line = {"at": round(at, 6), "item": named(item)}
        self._file.write(json.dumps(line) + "\n")

    def close(self) -> None:
        """Write what is left."""
        self._file.close()


def read(path: Path) -> Iterator[tuple[float, Item]]:
    """Yield what a trace holds. A broken last line, as a crash leaves it, ends it.

    Raises ConfigError if it is no trace, or of a version not known here.
    """
    with path.open(encoding="utf-8") as file:
        head = _line(file.readline())
        if not isinstance(head, dict) or head.get("turnkit") != "trace":
            raise ConfigError(f"{path} is no trace")
        if head.get("version") != VERSION:
            version = head.get("version")
            raise ConfigError(f"{path} is a trace of version {version}; this reads {VERSION}")
        for text in file:
            line = _line(text)
            if line is None:
                return
            try:
                yield line["at"], _item(line["item"])
            except (LookupError, StopIteration, TypeError, ValueError) as exc:
                raise ConfigError(f"{path} has a line that is none of a trace: {exc}") from None


def _line(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return None


def _item(named: dict[str, Any]) -> Item:
    fields = {
        name: _item(value) if isinstance(value, dict) and "fields" in value else value
        for name, value in named["fields"].items()
    }
    item: Item = _kind(named["name"])(**fields)
    return item


def _kind(name: str) -> Any:
    modules: tuple[ModuleType, ...] = (events, commands, base)
    return next(getattr(module, name) for module in modules if hasattr(module, name))
