"""A worker process as the process sees it that started it: orders go in, news come out.

Two threads serve it, because pipes block: one writes, so that nobody who gives an order waits, and
one reads. How much may be under way is bounded by the streams, see `turnkit.recognizers.remote`.
"""

import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from queue import SimpleQueue
from typing import Any, Protocol
from weakref import WeakValueDictionary

import msgspec

from turnkit.recognizers.pipe_wire import (
    HEADER_BYTES,
    Biased,
    Broken,
    Close,
    Failed,
    Finished,
    Heard,
    News,
    Order,
    Ready,
    encode,
    framed,
    length_of,
    parse_news,
)

_MODULE = "turnkit.recognizers.worker"
_EXIT_S = 1.0  # how long it may take to notice that its input has ended, before it is killed


class Listener(Protocol):
    """One stream, as far as its link is concerned; called from the link's thread."""

    def take(self, news: Heard | Finished | Biased) -> None:
        """Take in an answer."""

    def lose(self, reason: str | None) -> None:
        """Expect no further answer; None is no reason to talk of."""


class Link:
    """One worker process, from its start to its end. Safe for several threads."""

    def __init__(self, model: bytes, ended: Callable[["Link"], None]) -> None:
        """Start it, with a pickled SpeechModel. Raises OSError where no process can be had.

        `ended` is called from a thread when it is gone, unless `close` was.
        """
        self.failure: str | None = None
        """Why the model cannot be loaded, if so."""
        self.memory_mb = 0.0
        self._ended = ended
        self._ready = threading.Event()  # set when it is loaded, and also when it never will be
        self._lock = threading.RLock()  # a stream may be garbage at any moment, even in here
        self._streams: WeakValueDictionary[int, Any] = WeakValueDictionary()
        self._alive, self._closing = True, False
        self._news_at = time.monotonic()
        self._orders: SimpleQueue[bytes | None] = SimpleQueue()
        self._process = _started()
        self._orders.put(framed(model))
        self._threads = [
            threading.Thread(target=work, name=f"recognizer-{work.__name__}", daemon=True)
            for work in (self._write, self._read)
        ]
        for thread in self._threads:
            thread.start()

    @property
    def pid(self) -> int:
        """The process's number."""
        return self._process.pid

    @property
    def exit_code(self) -> int | None:
        """How the process ended, once it has."""
        return self._process.returncode

    @property
    def alive(self) -> bool:
        """Whether it may be given orders."""
        return self._alive

    @property
    def ready(self) -> bool:
        """Whether its model is loaded, and it is there."""
        return self._alive and self._ready.is_set()

    @property
    def silent_s(self) -> float:
        """How long nothing was heard of it; no news is bad news only while answers are due."""
        return time.monotonic() - self._news_at

    def __len__(self) -> int:
        """Count the streams it hears."""
        return len(self._streams)

    def wait_ready(self, limit_s: float) -> bool:
        """Wait until the model is loaded; tell whether it is."""
        self._ready.wait(limit_s)
        return self.ready

    def attach(self, stream: int, listener: Listener) -> bool:
        """Let the listener, which is held weakly, have the news of this stream, if it is alive."""
        with self._lock:
            if self._alive:
                self._streams[stream] = listener
            return self._alive

    def detach(self, stream: int) -> None:
        """Say that the stream is over."""
        with self._lock:
            self._streams.pop(stream, None)
        self.send(Close(stream))

    def send(self, order: Order) -> None:
        """Give an order. If the process is gone, nothing happens: its listeners were told."""
        if self._alive:
            self._orders.put(encode(order))

    def kill(self) -> None:
        """End a process that does not answer; its listeners are told as if it had died."""
        self._process.kill()

    def close(self) -> None:
        """End the process, and return when it is gone; takes at most a second or two."""
        self._closing = True
        self._orders.put(None)
        try:
            self._process.wait(_EXIT_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        for thread in self._threads:
            thread.join()

    def _write(self) -> None:
        inbound = self._process.stdin
        assert inbound is not None
        try:
            while (frame := self._orders.get()) is not None:
                inbound.write(frame)
                inbound.flush()
        except OSError:
            return  # it is gone, and the reader says so
        finally:
            _close_quietly(inbound)

    def _read(self) -> None:
        outbound = self._process.stdout
        assert outbound is not None
        with outbound:
            while len(header := outbound.read(HEADER_BYTES)) == HEADER_BYTES:
                try:
                    self._take(parse_news(outbound.read(length_of(header))))
                except (ValueError, msgspec.DecodeError):
                    self._process.kill()  # it has lost the thread, and we with it
        self._process.wait()
        self._bury()

    def _take(self, news: News) -> None:
        self._news_at = time.monotonic()
        match news:
            case Ready(memory_mb):
                self.memory_mb = memory_mb
                self._ready.set()
            case Failed(reason):
                self.failure = reason
            case Broken(stream, reason):
                if (listener := self._streams.get(stream)) is not None:
                    listener.lose(reason)
            case Heard() | Finished() | Biased():
                if (listener := self._streams.get(news.stream)) is not None:
                    listener.take(news)

    def _bury(self) -> None:
        with self._lock:
            self._alive = False
            listeners = list(self._streams.values())
        self._ready.set()
        self._orders.put(None)
        for listener in listeners:
            listener.lose(None if self._closing else "its process has ended")
        if not self._closing:
            self._ended(self)


def _started() -> "subprocess.Popen[bytes]":
    """Start a fresh interpreter, with our paths, out of reach of the terminal's Ctrl-C."""
    paths = os.pathsep.join(path or os.getcwd() for path in sys.path)  # noqa: PTH109
    apart: dict[str, Any] = {"process_group": 0}
    if sys.platform == "win32":
        apart = {"creationflags": subprocess.CREATE_NEW_PROCESS_GROUP}
    return subprocess.Popen(
        [sys.executable, "-P", "-m", _MODULE],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": paths},
        **apart,
    )


def _close_quietly(inbound: Any) -> None:
    try:
        inbound.close()
    except OSError:
        return  # what was not written will not be read either
