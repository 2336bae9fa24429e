"""How turnkit logs: JSON lines for machines, colours for a terminal, and no private words.

What people said is in fields whose names start with `pii_`. They are dropped unless the settings
ask for transcripts, and even then they appear at debug level only.
"""

import logging
import sys
import time
import unicodedata
from collections import Counter
from collections.abc import Callable
from typing import TextIO

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

from turnkit.config import Settings

RATIONED = frozenset({"call.refused", "call.aborted", "library.said"})
"""What anybody can make us say as often as they like."""

RATION = 20
"""So many of each in a second, lest somebody fills the disk; the rest is counted."""

_PRIVATE = "pii_"
_UNSAFE = ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp")
"""Unicode categories that can move a cursor, reorder a line, or end it."""


def configure(settings: Settings, stream: TextIO = sys.stderr) -> None:
    """Set logging up for this process: ours and, through it, that of the libraries."""
    level = logging.getLevelNamesMapping()[settings.log_level.upper()]
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso"),
            Ration(),
            Privacy(keep=settings.log_transcripts),
            structlog.processors.format_exc_info,
            *_rendering(stream),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.WriteLoggerFactory(stream),
        cache_logger_on_first_use=False,
    )
    logging.basicConfig(handlers=[_Forward()], level=max(level, logging.WARNING), force=True)


class Privacy:
    """Drop what people said, unless it was asked for and this is a debug line."""

    def __init__(self, *, keep: bool) -> None:
        self._keep = keep

    def __call__(self, _logger: WrappedLogger, method: str, event: EventDict) -> EventDict:
        """Be a structlog processor."""
        if self._keep and method == "debug":
            return event
        return {name: value for name, value in event.items() if not name.startswith(_PRIVATE)}


class Ration:
    """Drop lines that strangers cause, beyond so many a second; the next one says how many."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._second = 0
        self._said: Counter[str] = Counter()
        self._dropped: Counter[str] = Counter()

    def __call__(self, _logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
        """Be a structlog processor."""
        name = event["event"]
        if name not in RATIONED:
            return event
        if (second := int(self._clock())) != self._second:
            self._second = second
            self._said.clear()
        self._said[name] += 1
        if self._said[name] > RATION:
            self._dropped[name] += 1
            raise structlog.DropEvent
        dropped = self._dropped.pop(name, 0)
        return {**event, "dropped_before": dropped} if dropped else event


def visible(text: str) -> str:
    r"""Return the text with control characters spelt out: ESC becomes \x1b, and so on."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(
        character.encode("unicode_escape").decode()
        if unicodedata.category(character) in _UNSAFE
        else character
        for character in text
    )


def make_visible(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """Spell out control characters, so that nobody's words can write on the terminal."""
    lines = event.pop("exception", "").splitlines()
    seen = {name: visible(v) if isinstance(v, str) else v for name, v in event.items()}
    return seen | {"exception": "\n".join(map(visible, lines))} if lines else seen


def _rendering(stream: TextIO) -> list[Processor]:
    if stream.isatty():
        return [make_visible, structlog.dev.ConsoleRenderer()]
    return [structlog.processors.JSONRenderer()]


class _Forward(logging.Handler):
    """Passes on what libraries log, one line each: their tracebacks tell of a peer's faults.

    Except where uvicorn reports that our own application raised: that is a bug, and shown whole.
    """

    def emit(self, record: logging.LogRecord) -> None:
        ours = record.getMessage().startswith("Exception in ASGI application")
        structlog.get_logger(__name__).log(
            record.levelno,
            "library.said",
            library=record.name,
            said=record.getMessage().strip(),
            exc_info=record.exc_info if ours else None,
        )
