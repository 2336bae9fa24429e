"""Both voices at once: what of the user's channel is our own echo, and who may have the floor.

The engine of a conversation is told what was played to the user; any other, as behind `/v2/listen`,
is not, and then this decides nothing.
"""

from dataclasses import dataclass

from turnkit.audio.echo import EchoGuard
from turnkit.audio.frames import FRAME_S as HOP_S
from turnkit.audio.frames import Samples
from turnkit.engine.activity import Activity
from turnkit.engine.barge_in import Interjection, Moment, Verdict
from turnkit.engine.endpointer import FRAME_S
from turnkit.recognizers.base import Words

_HOPS = round(FRAME_S / HOP_S)
_ECHO_SHARE = 0.85  # of the last 0.4 s; of a mere echo nearly all is explained
_MAX_TOLD = 64


@dataclass(frozen=True, slots=True)
class Acknowledgement:
    """Something short that the user said while the agent spoke, and that opened no turn."""

    transcript: str
    spoken_s: float


class Overlap:
    """Follows one stream, a frame at a time: `is_echo` before it is heard, `judge` after."""

    def __init__(self, hold_s: float) -> None:
        self._echo = EchoGuard()
        self._interjection = Interjection(hold_s, FRAME_S)
        self._told: list[Acknowledgement] = []

    def played(self, frame: bytes) -> None:
        """Take in 20 ms of linear16 audio that the user hears after all given before."""
        self._echo.played(frame)

    def silenced(self) -> None:
        """Take in that the user hears nothing more of what was played."""
        self._echo.silenced()

    def is_echo(self, samples: Samples) -> bool:
        """Take in the next frame; tell whether it holds our own voice and nothing louder."""
        return self._echo.hear(samples, _HOPS) >= _ECHO_SHARE

    def judge(self, words: Words, activity: Activity) -> Verdict:
        """Decide, outside of turns, what becomes of these words."""
        verdict = self._interjection.hear(
            Moment(
                transcript=" ".join(word.word for word in words),
                confidence=min((word.confidence for word in words), default=0.0),
                speech_s=activity.speech_s,
                silence_s=activity.silence_s,
                agent_audible=self._echo.playing,
                echo_share=self._echo.explained_share(self._interjection.lasted_s),
            )
        )
        if verdict == "acknowledged" and len(self._told) < _MAX_TOLD:
            text = " ".join(word.word for word in words)
            self._told.append(Acknowledgement(text, self._interjection.spoken_s))
        return verdict

    def take_acknowledgements(self) -> list[Acknowledgement]:
        """Return those since the last call; of very many, the first."""
        told, self._told = self._told, []
        return told
