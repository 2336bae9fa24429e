"""Much work on all processors."""

import logging
import multiprocessing
import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor, ProcessPoolExecutor, as_completed
from typing import TypeVar

import structlog

T = TypeVar("T")
R = TypeVar("R")


def processes() -> Executor:
    """Return an executor with a process for each processor.

    They are not forked: a recognizer's threads and locks would not survive that. What they log is
    warnings and errors alone: every hearing has a line to say, and a progress bar is on the screen.
    """
    spawned = multiprocessing.get_context("spawn")
    return ProcessPoolExecutor(os.cpu_count(), mp_context=spawned, initializer=only_warnings)


def only_warnings() -> None:
    """Have this process log nothing less than a warning."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))


def carried_out(work: Callable[[T], R], items: Sequence[T], executor: Executor) -> Iterator[R]:
    """Give what becomes of each item, as it is done; begin with the first ones.

    What the work raises ends it all: nothing further is begun.
    """
    with executor:
        futures = [executor.submit(work, item) for item in items]
        try:
            for done in as_completed(futures):
                yield done.result()
        finally:
            executor.shutdown(wait=False, cancel_futures=True)
