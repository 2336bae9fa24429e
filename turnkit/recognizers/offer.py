"""The recognizers a server offers its calls: no call has to carry them, and none starts its own.

Whoever offers none, such as a call in virtual time, gets recognizers in its own process, whose
words are there the moment they are asked for.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from turnkit.recognizers.pool import Recognizers

_offered: ContextVar[Recognizers | None] = ContextVar("recognizers", default=None)


def offered() -> Recognizers | None:
    """Return what is offered here, if anything."""
    return _offered.get()


@contextmanager
def offering(recognizers: Recognizers) -> Iterator[None]:
    """Offer these to whatever is called or started in the block."""
    token = _offered.set(recognizers)
    try:
        yield
    finally:
        _offered.reset(token)
