"""A model and a voice that take as long as real ones, from a seed, on virtual time.

The same request takes the same time whoever makes it and whenever, so that policies are compared
on the same draws.
"""

from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass
from math import log
from random import Random

import anyio

from turnkit.history import Message
from turnkit.llm.base import Delta, Finish, Item, Text, ToolSpec
from turnkit.testing import ExactVoice
from turnkit.tts.base import Mark

ANSWER = "To question {number} I can say yes. Is there anything else you would like to know?"
_CHARACTERS_PER_S = 18.0


@dataclass(frozen=True, slots=True)
class Spread:
    """A log-normal distribution of times."""

    median_s: float
    sigma: float

    def draw(self, random: Random) -> float:
        """Draw a time, in whole milliseconds, so that no machine rounds it otherwise."""
        return max(0.001, round(random.lognormvariate(log(self.median_s), self.sigma), 3))


@dataclass(frozen=True, slots=True)
class Profile:
    """How fast a model and a voice are."""

    name: str
    first_token: Spread
    token: Spread
    """Between tokens; one draw for an answer."""
    first_audio: Spread
    """From a clause to its first sound."""


PROFILES = (
    Profile("fast", Spread(0.15, 0.25), Spread(0.006, 0.2), Spread(0.08, 0.2)),
    Profile("typical", Spread(0.45, 0.35), Spread(0.015, 0.3), Spread(0.15, 0.3)),
    Profile("slow", Spread(1.2, 0.45), Spread(0.03, 0.4), Spread(0.4, 0.4)),
)
"""Assumed: a small model near by, a hosted one on a usual day, a large one or a bad day."""


class TimedModel:
    """Says the same to everything, in the time a profile gives."""

    def __init__(self, profile: Profile, seed: int) -> None:
        self._profile = profile
        self._seed = seed

    async def stream(
        self,
        messages: Sequence[Item],
        tools: Sequence[ToolSpec] = (),  # noqa: ARG002
    ) -> AsyncGenerator[Delta, None]:
        """Yield the answer, a token at a time."""
        asked = [m.text for m in messages if isinstance(m, Message) and m.role == "user"]
        random = Random(f"{self._seed} {len(asked)} {asked[-1]}")
        await anyio.sleep(self._profile.first_token.draw(random))
        token_s = self._profile.token.draw(random)
        words = ANSWER.format(number=len(asked)).split(" ")
        for place, word in enumerate(words):
            await anyio.sleep(token_s if place else 0.0)
            yield Text(f" {word}" if place else word)
        yield Finish(completion_tokens=len(words))


class TimedVoice:
    """Speaks after the time a profile gives; the sound itself is a constant."""

    sample_rate_hz = 16000

    def __init__(self, profile: Profile, seed: int) -> None:
        self._profile = profile
        self._seed = seed

    async def speak(self, text: str) -> AsyncGenerator[bytes | Mark, None]:
        """Yield the sound, in pieces."""
        first_audio_s = self._profile.first_audio.draw(Random(f"{self._seed} {text}"))
        async for piece in ExactVoice(first_audio_s, _CHARACTERS_PER_S).speak(text):
            yield piece
