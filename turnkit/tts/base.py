"""The seam where text becomes sound.

A synthesizer module has a function `create(argument, settings) -> Synthesizer`; `argument` is what
stood behind the colon of `--voice NAME:ARGUMENT`, or None.
"""

from collections.abc import AsyncGenerator
from dataclasses import dataclass
from typing import Protocol, runtime_checkable


@dataclass(frozen=True, slots=True)
class Mark:
    """The audio that follows speaks the text from this character on, the start of a word."""

    character: int


class Synthesizer(Protocol):
    """Whoever speaks. One may serve several replies at a time."""

    sample_rate_hz: int

    def speak(self, text: str) -> AsyncGenerator[bytes | Mark, None]:
        """Yield linear16 mono audio of `text`, a clause or so, in pieces of any length.

        A voice that knows where its words begin yields a mark before the audio of each, so that
        history can be cut to the word; for others the words are taken to be spread evenly.
        Closing the generator ends the work. Raises SynthesisError.
        """


@runtime_checkable
class WarmSynthesizer(Synthesizer, Protocol):
    """A voice that speaks sooner if it is kept ready, as one on a network is."""

    async def run(self, wanted_hz: int) -> None:
        """Keep ready until cancelled, and speak at `wanted_hz` from now on if that can be had.

        `sample_rate_hz` says what was had, before the first `await`. A voice that cannot be kept
        ready is no error here: `speak` will say what is wrong. It can speak without this, later.
        """


async def keep_warm(voice: Synthesizer, wanted_hz: int) -> None:
    """Keep a voice ready for as long as a conversation lasts; return if it is so by itself."""
    if isinstance(voice, WarmSynthesizer):
        await voice.run(wanted_hz)
