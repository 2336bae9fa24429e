"""The metrics of turns, from labels and events. Pure.

One turn's score is a record of facts; a metric is a sum or a quantile over such records. Instants
are audio time: what the policy costs, the same on every machine.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from math import inf

from benchmarks.turns import bootstrap
from benchmarks.turns.bootstrap import Estimate
from benchmarks.turns.manifest import Recording, Span, Turn
from benchmarks.turns.runs import Event, Run
from benchmarks.turns.spans import HOLD_S, end_is_scored, room_s

EARLY_S = 0.05
"""So much before the labelled end an EndOfTurn is right: labels are no more exact."""

_PATIENCE_S = 1.0  # so much after `eot_timeout` an end counts as missed
_ONSET_SLACK_S = 0.1  # a StartOfTurn so much before the labelled onset is its own
_AFTER_SPEECH_S = 0.5  # and so much after the last word too: a short word is over when it is heard


@dataclass(frozen=True, slots=True)
class TurnScore:
    """What became of one labelled turn."""

    recording: str
    clip: str
    kind: str
    turn: int
    onset_delay_s: float | None
    """From its onset to StartOfTurn; None: never, or a turn was open already."""
    onset_missed: bool
    cut: bool
    """Whether an EndOfTurn came before its end."""
    holds: int
    holds_cut: int
    end_scored: bool
    end_latency_s: float | None
    """From its end to EndOfTurn; None: it did not come in time."""
    end_delay_s: float | None
    """The same on the wall clock, where it was measured."""
    eager_lead_s: float | None
    """From the EagerEndOfTurn that stood to that EndOfTurn; None: there was none."""
    drafts: int
    """How many EagerEndOfTurn it had."""
    drafts_stood: int

    @property
    def unit(self) -> tuple[str, int]:
        """What it is resampled with."""
        return self.recording, self.turn


@dataclass(frozen=True, slots=True)
class Eager:
    """One EagerEndOfTurn and what became of it."""

    recording: str
    clip: str
    turn: int
    stood: bool
    """Whether EndOfTurn followed, and no TurnResumed."""
    drifted: bool
    """Whether the transcript of that EndOfTurn was another."""


@dataclass(frozen=True, slots=True)
class Quiet:
    """How much of a recording holds no speech of its voice, and what was started there."""

    recording: str
    clip: str
    noise: bool
    """Whether there is no speech on it at all."""
    seconds: float
    starts: int


def turn_scores(run: Run, eot_timeout_s: float) -> list[TurnScore]:
    """Score every turn of a recording that can be scored."""
    events = _scored(run)
    eager = _stood(events)
    return [
        _turn_score(run.recording, n, events, eager, eot_timeout_s)
        for n, _ in run.recording.scored_turns
    ]


def eager_ends(run: Run) -> list[Eager]:
    """Return every EagerEndOfTurn of a recording with labelled turns."""
    if not run.recording.turns:
        return []
    events = _scored(run)
    stood = _stood(events)
    return [
        Eager(
            run.recording.id,
            run.recording.clip,
            event.turn,
            stood=n in stood,
            drifted=n in stood and events[stood[n]].transcript != event.transcript,
        )
        for n, event in enumerate(events)
        if event.name == "EagerEndOfTurn"
    ]


def quiet(run: Run) -> Quiet | None:
    """Count what was started where nobody spoke; None if it is not known where that is."""
    recording = run.recording
    if recording.speech is None:
        return None
    heard = [
        Span(span.start_s - _ONSET_SLACK_S, span.end_s + _AFTER_SPEECH_S)
        for span in recording.speech
    ]
    busy = _union([*heard, *recording.unscored], recording.duration_s)
    starts = [event.at_s for event in _scored(run) if event.name == "StartOfTurn"]
    return Quiet(
        recording.id,
        recording.clip,
        noise=not recording.speech,
        seconds=recording.duration_s - sum(span.length_s for span in busy),
        starts=sum(not any(span.holds(at_s) for span in heard) for at_s in starts),
    )


def summary(
    turns: Sequence[TurnScore], eager: Sequence[Eager], quiets: Sequence[Quiet]
) -> dict[str, Estimate]:
    """Return every metric by name, with intervals over turns or, for false starts, clips."""
    return {
        **_of_ends(turns),
        **_of_drafts(turns, eager),
        **_of_starts(turns),
        **_of_quiet(quiets),
    }


def _of_ends(turns: Sequence[TurnScore]) -> dict[str, Estimate]:
    units = [turn.unit for turn in turns]
    ended = [turn for turn in turns if turn.end_scored]
    figures = {
        "cut-offs per pause": bootstrap.ratio(
            [t.holds_cut for t in turns], [t.holds for t in turns], units
        ),
        "cut turns": bootstrap.mean([t.cut for t in turns], units),
        "missed ends": bootstrap.mean(
            [t.end_latency_s is None for t in ended], [t.unit for t in ended]
        ),
    }
    figures |= _quantiles(
        "end of turn", [(t.end_latency_s, t.unit) for t in turns], (50, 90, 95, 99)
    )
    return figures | _quantiles(
        "end of turn, wall clock", [(t.end_delay_s, t.unit) for t in turns], (50, 95)
    )


def _of_drafts(turns: Sequence[TurnScore], eager: Sequence[Eager]) -> dict[str, Estimate]:
    units = [(e.recording, e.turn) for e in eager]
    stood = [e for e in eager if e.stood]
    ended = [t for t in turns if t.end_scored]
    return {
        **_quantiles("eager lead", [(t.eager_lead_s, t.unit) for t in turns], (50, 95)),
        "eager precision": bootstrap.mean([e.stood for e in eager], units),
        "eager recall": bootstrap.mean(
            [t.eager_lead_s is not None for t in ended], [t.unit for t in ended]
        ),
        "wasted drafts per turn": bootstrap.mean(
            [t.drafts - t.drafts_stood for t in turns], [t.unit for t in turns]
        ),
        "transcript drift": bootstrap.mean(
            [e.drifted for e in stood], [(e.recording, e.turn) for e in stood]
        ),
    }


def _of_starts(turns: Sequence[TurnScore]) -> dict[str, Estimate]:
    heard = [t for t in turns if t.onset_missed or t.onset_delay_s is not None]
    return {
        **_quantiles("onset delay", [(t.onset_delay_s, t.unit) for t in turns], (50, 95)),
        "missed onsets": bootstrap.mean([t.onset_missed for t in heard], [t.unit for t in heard]),
    }


def _of_quiet(quiets: Sequence[Quiet]) -> dict[str, Estimate]:
    noise = [q for q in quiets if q.noise]
    return {
        "noise clips with a start": bootstrap.mean(
            [q.starts > 0 for q in noise], [q.clip for q in noise]
        ),
        "false starts per minute": bootstrap.ratio(
            [q.starts for q in quiets], [q.seconds / 60 for q in quiets], [q.clip for q in quiets]
        ),
    }


def _quantiles(
    name: str,
    given: Iterable[tuple[float | None, tuple[str, int]]],
    percents: tuple[int, ...],
) -> dict[str, Estimate]:
    """Return quantiles and the mean of what is there."""
    found = [(value, unit) for value, unit in given if value is not None]
    values, units = [value for value, _ in found], [unit for _, unit in found]
    return {
        **{f"{name} p{p}": bootstrap.quantile(values, units, p) for p in percents},
        f"{name} mean": bootstrap.mean(values, units),
    }


def _scored(run: Run) -> list[Event]:
    unscored = run.recording.unscored
    return [event for event in run.events if not any(s.holds(event.at_s) for s in unscored)]


def _stood(events: Sequence[Event]) -> dict[int, int]:
    """Return for each EagerEndOfTurn that stood the position of its EndOfTurn."""
    stood: dict[int, int] = {}
    waiting: int | None = None
    for n, event in enumerate(events):
        match event.name:
            case "EagerEndOfTurn":
                waiting = n
            case "EndOfTurn":
                if waiting is not None and events[waiting].turn == event.turn:
                    stood[waiting] = n
                waiting = None
            case _:
                waiting = None
    return stood


def _turn_score(
    recording: Recording,
    position: int,
    events: Sequence[Event],
    stood: dict[int, int],
    eot_timeout_s: float,
) -> TurnScore:
    turn = recording.turns[position]
    until_s = turn.span.end_s + min(room_s(recording, turn), eot_timeout_s + _PATIENCE_S)
    ends = [event.at_s for event in events if event.name == "EndOfTurn"]
    holds = [h for h in turn.holds if HOLD_S[0] - 1e-9 <= h.length_s <= HOLD_S[1] + 1e-9]
    drafts = [
        n
        for n, event in enumerate(events)
        if event.name == "EagerEndOfTurn" and turn.span.start_s < event.at_s <= until_s
    ]
    end = _first_end(events, turn, until_s) if end_is_scored(recording, turn) else None
    onset_s, missed = _onset(events, turn)
    return TurnScore(
        recording=recording.id,
        clip=recording.clip,
        kind=recording.kind,
        turn=position,
        onset_delay_s=onset_s,
        onset_missed=missed,
        cut=any(turn.span.start_s < at_s < turn.span.end_s - EARLY_S for at_s in ends),
        holds=len(holds),
        holds_cut=sum(any(h.start_s < at_s <= h.end_s for at_s in ends) for h in holds),
        end_scored=end_is_scored(recording, turn),
        end_latency_s=None if end is None else events[end].at_s - turn.span.end_s,
        end_delay_s=None if end is None else _wall(events[end], turn),
        eager_lead_s=None if end is None else _lead(events, drafts, stood, end),
        drafts=len(drafts),
        drafts_stood=sum(n in stood for n in drafts),
    )


def _first_end(events: Sequence[Event], turn: Turn, until_s: float) -> int | None:
    """Return the position of the EndOfTurn that ends this turn."""
    found = (
        n
        for n, event in enumerate(events)
        if event.name == "EndOfTurn" and turn.span.end_s - EARLY_S <= event.at_s <= until_s
    )
    return next(found, None)


def _lead(
    events: Sequence[Event], drafts: Sequence[int], stood: dict[int, int], end: int
) -> float | None:
    announced = [events[n].at_s for n in drafts if stood.get(n) == end]
    return events[end].at_s - announced[-1] if announced else None


def _wall(event: Event, turn: Turn) -> float | None:
    if event.delay_s is None:
        return None
    return event.at_s - turn.span.end_s + event.delay_s


def _onset(events: Sequence[Event], turn: Turn) -> tuple[float | None, bool]:
    """Return the delay of its StartOfTurn, and whether it was missed."""
    first_s = turn.span.start_s - _ONSET_SLACK_S
    before = [e for e in events if e.at_s < first_s and e.name in {"StartOfTurn", "EndOfTurn"}]
    if before and before[-1].name == "StartOfTurn":
        return None, False  # the turn before goes on: its missed end has been counted
    starts = (e.at_s for e in events if e.name == "StartOfTurn" and e.at_s >= first_s)
    at_s = next(starts, inf)
    if at_s > turn.span.end_s + _AFTER_SPEECH_S:
        return None, True
    return at_s - turn.span.start_s, False


def _union(spans: Iterable[Span], until_s: float) -> Iterator[Span]:
    """Give the spans in order, within the recording, without overlap."""
    reached_s = 0.0
    for span in sorted(spans):
        start_s, end_s = max(span.start_s, reached_s), min(span.end_s, until_s)
        if end_s > start_s:
            yield Span(start_s, end_s)
            reached_s = end_s
