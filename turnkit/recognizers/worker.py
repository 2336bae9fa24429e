"""A process that does nothing but recognize speech: `python -m turnkit.recognizers.worker`.

It is started by `turnkit.recognizers.link` and lives as long as its standard input is open, so that
it cannot outlive who started it, however that ends. What comes is worked on in its order.
"""

import os
import pickle
import signal
import sys
from collections.abc import Iterator
from typing import BinaryIO, assert_never

import numpy as np

from turnkit.audio.frames import samples_of
from turnkit.recognizers.base import OpenRecognizer, Recognizer, SpeechModel, Words
from turnkit.recognizers.pipe_wire import (
    HEADER_BYTES,
    Bias,
    Biased,
    Broken,
    Close,
    Drop,
    Failed,
    Finish,
    Finished,
    Hear,
    Heard,
    News,
    Open,
    Order,
    Ready,
    encode,
    length_of,
    parse_order,
)

_FINISHING_ASKS = 1000  # of a recognizer that is itself elsewhere; those here answer at once


def main() -> None:
    """Load the model that comes first; then carry out orders until there are no more."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for who started us
    inbound, outbound = _own_pipes()
    frames = _frames(inbound)
    model: SpeechModel = pickle.loads(next(frames))  # from our own parent
    desk = _Desk(outbound)
    try:
        if desk.load(model):
            for frame in frames:
                desk.carry_out(parse_order(frame))
    except BrokenPipeError:  # whoever started us is gone, and nobody is left to be told
        os._exit(0)  # without a last flush, which would fail likewise


def _own_pipes() -> tuple[BinaryIO, BinaryIO]:
    """Take standard input and output for ourselves; what libraries print goes to the errors."""
    inbound, outbound = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    os.dup2(2, 1)
    return inbound, outbound


def _frames(inbound: BinaryIO) -> Iterator[bytes]:
    while len(header := inbound.read(HEADER_BYTES)) == HEADER_BYTES:
        length = length_of(header)
        payload = inbound.read(length)
        if len(payload) < length:
            return
        yield payload


class _Desk:
    """Every stream of this process."""

    def __init__(self, outbound: BinaryIO) -> None:
        self._outbound = outbound
        self._streams: dict[int, Recognizer] = {}
        self._told: dict[int, Words] = {}
        self._open: OpenRecognizer

    def load(self, model: SpeechModel) -> bool:
        """Load the model, and say whether that worked."""
        try:
            self._open = model.load()
        except Exception as exc:  # noqa: BLE001  # whatever it is, it is told
            self._tell(Failed(f"{type(exc).__name__}: {exc}"))
            return False
        self._tell(Ready(memory_mb()))
        return True

    def carry_out(self, order: Order) -> None:
        """Do it, and answer. A recognizer that raises an error costs its stream."""
        try:
            self._do(order)
        except (BrokenPipeError, KeyboardInterrupt):
            sys.exit(0)
        except Exception as exc:  # noqa: BLE001  # one stream's end, not the process's
            self._streams.pop(order.stream, None)
            self._told.pop(order.stream, None)
            self._tell(Broken(order.stream, f"{type(exc).__name__}: {exc}"))

    def _do(self, order: Order) -> None:
        match order:
            case Open(stream, keyterms):
                self._streams[stream] = self._open(keyterms)
                self._tell(Ready(memory_mb()))
            case Hear(stream, stretch, audio):
                self._hear(stream, stretch, audio)
            case Finish(stream, stretch):
                words = self._finished(stream)
                self._tell(Finished(stream, stretch, words))
            case Drop(stream):
                self._told.pop(stream, None)
                if stream in self._streams:
                    self._streams[stream].drop()
            case Bias(stream, keyterms):
                if stream in self._streams:
                    self._streams[stream].bias(keyterms)
                self._tell(Biased(stream))
                self._tell(Ready(memory_mb()))
            case Close(stream):
                self._told.pop(stream, None)
                if stream in self._streams:
                    self._streams.pop(stream).close()
            case _:
                assert_never(order)

    def _hear(self, stream: int, stretch: int, audio: bytes) -> None:
        samples = samples_of(audio)
        recognizer = self._streams.get(stream)
        words: Words | None = None
        if recognizer is not None:
            recognizer.feed(np.array(samples))
            words = recognizer.words
            if words == self._told.get(stream, ()):
                words = None
            else:
                self._told[stream] = words
        self._tell(Heard(stream, stretch, len(samples), words))

    def _finished(self, stream: int) -> Words:
        self._told.pop(stream, None)
        recognizer = self._streams.get(stream)
        if recognizer is None:
            return ()
        for _ in range(_FINISHING_ASKS):
            if (words := recognizer.finish()) is not None:
                return words
        recognizer.drop()
        return ()

    def _tell(self, news: News) -> None:
        self._outbound.write(encode(news))
        self._outbound.flush()


def memory_mb() -> float:
    """Return how much memory this process takes, or took at most where only that can be had."""
    try:
        with open("/proc/self/statm", "rb") as numbers:  # noqa: PTH123  # no file, and read often
            return int(numbers.read().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6
    except OSError:
        return _peak_mb()


def _peak_mb() -> float:
    try:
        import resource  # noqa: PLC0415  # not on Windows
    except ImportError:
        return 0.0
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 1e6


if __name__ == "__main__":
    main()
