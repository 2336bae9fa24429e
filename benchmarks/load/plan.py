"""What the providers are to play: kinds of turns, how long services take, and in which order."""

from itertools import cycle, islice

import msgspec

NORMAL_S = 3.0
"""From one turn to the next, unless a barge-in cuts it short. Twenty sentences a minute and
connection are Aura's limit, so much faster would measure how a client copes with that limit."""


class Step(msgspec.Struct, frozen=True):
    """A turn event, so long after the turn's start, with a transcript of this mode."""

    at_s: float
    event: str
    mode: str


class Case(msgspec.Struct, frozen=True):
    """One kind of turn."""

    title: str
    short: str
    """The title where there is little room."""
    steps: tuple[Step, ...]
    length_s: float = NORMAL_S

    @property
    def end_s(self) -> float:
        """When the turn is final."""
        return self.steps[-1].at_s


def _eager(
    title: str, short: str, gap_s: float, mode: str = "brisk", length_s: float = NORMAL_S
) -> Case:
    steps = (
        Step(0.0, "StartOfTurn", mode),
        Step(0.3, "EagerEndOfTurn", mode),
        Step(0.3 + gap_s, "EndOfTurn", mode),
    )
    return Case(title, short, steps, length_s)


CASES: dict[str, Case] = {
    "eager200": _eager("eager, end 200 ms later", "eager +200", 0.2),
    "eager400": _eager("eager, end 400 ms later", "eager +400", 0.4),
    "plain": Case(
        "no eager end",
        "no eager",
        (Step(0.0, "StartOfTurn", "brisk"), Step(0.5, "EndOfTurn", "brisk")),
    ),
    # The model and the voice are still busy when the next turn starts.
    "barge": _eager("interrupted", "interrupted", 0.2, "slow", 1.4),
    "after": _eager("after a barge-in, end 200 ms later", "after barge-in", 0.2),
    "resumed": Case(
        "resumed 120 ms after eager",
        "resumed",
        (
            Step(0.0, "StartOfTurn", "stale"),
            Step(0.3, "EagerEndOfTurn", "stale"),
            Step(0.42, "TurnResumed", "stale"),
            Step(0.7, "EagerEndOfTurn", "stale then brisk"),
            Step(0.9, "EndOfTurn", "stale then brisk"),
        ),
    ),
}
COLUMNS = ("eager200", "eager400", "plain")
"""The kinds of turns that targets and comparisons are about: nothing interrupts them."""

GROWS = ("eager200", "after", "resumed", "plain")
"""Cases in which all that is done between the trigger and the audio is in the overhead."""

GROWING = ("request", "overhead")
"""What of a turn would grow with the conversation, if anything did."""

AFTER_CANCEL = ("after", "resumed")
"""Cases whose answer comes right after another one was cancelled."""

DEFAULT_CASES = ("eager200", "eager400", "plain", "barge", "after", "resumed")


class Pace(msgspec.Struct, frozen=True):
    """How long the services take."""

    first_token_s: float = 0.15
    token_s: float = 0.005
    slow_token_s: float = 0.02
    sentences: int = 2
    slow_sentences: int = 17
    """100 tokens, so that there is something to cancel."""
    first_audio_s: float = 0.08
    """From a sentence's last character, or from Flush."""
    speed: float = 4.0
    """Of the voice, in multiples of real time."""
    sentence_s: float = 0.6
    """Of sound."""
    chunk_s: float = 0.04
    """Of sound in a message of the voice's."""
    mark: str = "."
    """What ends the first sentence. After "." a client may have to wait for what follows."""


class Plan(msgspec.Struct, frozen=True):
    """What every Flux connection plays. Turns start with its first audio, spread over a period."""

    cases: tuple[str, ...] = DEFAULT_CASES
    turns: int = 20
    """Of a call."""
    normal_s: float = NORMAL_S
    """From one turn to the next."""
    lead_in_s: float = 0.5
    seed: int = 1
    pace: Pace = Pace()

    def order(self, call: int) -> list[str]:
        """Return the case of each turn of a call; each begins at another place of the cycle."""
        first = call % len(self.cases)
        return list(islice(cycle(self.cases), first, first + self.turns))

    def length_s(self, case: str) -> float:
        """Return how long after a turn the next one starts."""
        return min(CASES[case].length_s, self.normal_s)

    @property
    def call_s(self) -> float:
        """How long a call has to last, for its last reply to be heard."""
        longest = max(sum(map(self.length_s, self.order(call))) for call in range(len(self.cases)))
        return self.lead_in_s + self.normal_s + longest + 0.02 * self.turns
