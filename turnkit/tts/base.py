"""The seam where text becomes sound.

A synthesizer module has a function `create(argument, settings) -> Synthesizer`; `argument` is what
stood behind the colon of `--voice NAME:ARGUMENT`, or None.
"""

from collections.abc import AsyncGenerator
from typing import Protocol


class Synthesizer(Protocol):
    """Whoever speaks. One may serve several replies at a time."""

    sample_rate_hz: int

    def speak(self, text: str) -> AsyncGenerator[bytes, None]:
        """Yield linear16 mono audio of `text`, a clause or so, in pieces of any length.

        Closing the generator ends the work. Raises SynthesisError.
        """
