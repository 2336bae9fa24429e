"""Whether the user is speaking, and if not, for how long: from one probability a window.

Pure. Speech begins when enough evidence has added up, and pauses at the first window that is
clearly none, because the two mistakes cost differently: a click taken for speech stops the agent,
while a short dip taken for a pause only starts a clock.

The evidence is the sum of the windows' log-odds, less a little each, and never below zero (Page's
test of 1954). So two windows (64 ms) without a doubt will do, and a low voice is heard later.
"""

from math import log

from turnkit.audio.vad import WINDOW_S

# Chosen on the development pack: 30 noise clips as they are, faster, slower, fainter, backwards and
# over a telephone, against the beginnings of 146 stretches of speech, each placed in five ways
# against the windows. With these 2 % of the clips as they are and 3 % of all open a turn, and half
# the stretches are noticed within 0.15 s of their onset, 95 % within 0.27 s. See docs/audio.md.
_ENOUGH = 6.5
_DOUBT = 0.5
_SURE = 0.996  # no window counts for more

_SILENCE = 0.35  # Silero's own; at 0.5 there are 1.4 times as many false pauses within words

# Silero says speech for 60 ms (median) after the true end, on 38 clips with labelled ends.
_TAIL_S = 0.06


class Activity:
    """Follows one stream of speech probabilities."""

    def __init__(self) -> None:
        self._evidence = 0.0
        self._speech_windows = 0
        self._silent_windows = 0
        self.speaking = False

    @property
    def speech_s(self) -> float:
        """How long somebody has been speaking, or seems to have been; 0 in silence."""
        return self._speech_windows * WINDOW_S

    @property
    def silence_s(self) -> float:
        """How long nobody has spoken; 0 while somebody does."""
        return 0.0 if self.speaking else self._silent_windows * WINDOW_S + _TAIL_S

    def hear(self, probability: float) -> None:
        """Take in the next window."""
        self._weigh(probability)
        if self._evidence == _ENOUGH:
            self.speaking = True
        if probability < _SILENCE:
            self.speaking = False
        self._silent_windows = 0 if self.speaking else self._silent_windows + 1

    def forget(self) -> None:
        """Start anew, as if there had been silence: whoever speaks now has just begun."""
        self._evidence = 0.0
        self._speech_windows = self._silent_windows = 0
        self.speaking = False

    def _weigh(self, probability: float) -> None:
        kept = min(max(probability, 1 - _SURE), _SURE)
        added = log(kept / (1 - kept)) - _DOUBT
        self._evidence = min(max(0.0, self._evidence + added), _ENOUGH)
        self._speech_windows = self._speech_windows + 1 if self._evidence else 0
