"""Plays a part as Flux would: against the clock of the audio that is received. Pure."""

from typing import Protocol, assert_never

from turnkit.audio.frames import AudioFormat
from turnkit.engine.answers import Answers
from turnkit.engine.endpointer import FRAME_S
from turnkit.sources.flux_query import ListenParameters
from turnkit.sources.flux_wire import (
    ClientMessage,
    CloseStream,
    Configure,
    Connected,
    FluxError,
    ForceEndTurn,
    ServerMessage,
    TurnInfo,
)


class Part(Protocol):
    """What is played: a script or a recording. It counts frames of audio from the first on.

    What it says has no `request_id` and no `sequence_id` yet.
    """

    def play(self, parameters: ListenParameters) -> list[TurnInfo]:
        """Play one more frame to a client that listens by these."""

    def end_turn(self, parameters: ListenParameters) -> TurnInfo | str:
        """End the open turn as was asked for, or say why not."""


class Player:
    """Plays a part to one stream."""

    def __init__(self, part: Part, parameters: ListenParameters, request_id: str) -> None:
        self._part = part
        self._answers = Answers(parameters, request_id)
        audio = AudioFormat(parameters.sample_rate_hz, parameters.encoding)
        self._frame_bytes = audio.bytes_in(FRAME_S)
        self._rest_bytes = 0
        self._closed = False

    def connected(self) -> Connected:
        """Return the message that comes before all others."""
        return self._answers.connected()

    def feed(self, audio: bytes) -> list[ServerMessage]:
        """Take in the next audio, for its length only."""
        if self._closed:
            return []
        frames, self._rest_bytes = divmod(self._rest_bytes + len(audio), self._frame_bytes)
        now = self._answers.parameters
        return [self._answers.turn(info) for _ in range(frames) for info in self._part.play(now)]

    def handle(self, message: ClientMessage) -> list[ServerMessage]:
        """Carry out what the client asks for."""
        if self._closed:
            return []
        match message:
            case CloseStream():
                self._closed = True
                return []
            case Configure():
                return [self._answers.configure(message)]
            case ForceEndTurn():
                ended = self._part.end_turn(self._answers.parameters)
                if isinstance(ended, str):
                    return [self._answers.nothing_to_end(ended)]
                return [self._answers.turn(ended)]
            case _:
                assert_never(message)

    def fail(self, code: str, description: str) -> FluxError:
        """Return the last message of a stream that cannot go on."""
        self._closed = True
        return self._answers.error(code, description)

    def close(self) -> None:
        """Hold nothing, so give nothing back."""
