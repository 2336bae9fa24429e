"""What is known of a load after it: runs, and what they come to.

There is a `Run` for each time a subject was run at one number of calls, in the order in which they
were run; a subject has several, for subjects take turns. A run holds the raw samples; a `Row` is
over all runs of a subject at the same number of calls; a `LoadResult` is all of it.

Samples are in milliseconds. `samples[CASE][MEASURE]`, where CASE is one of `plan.CASES` and MEASURE

- `request`: Flux's message to the model's receipt of the request
- `synthesis`: the first sentence's last token to the voice's receipt of the sentence
- `delivery`: the voice's first byte, or EndOfTurn if that was later, to the caller's first audio
- `overhead`: the caller's first audio against the ideal (`turns`)
- `response`: EndOfTurn to the caller's first audio
- `clear`, `silence`: StartOfTurn to `clear` at the caller, and to the last byte that is heard
- `model_cancelled`, `voice_cancelled`: StartOfTurn to the provider's learning that it is over
- `resume_cancelled`: TurnResumed to the model's learning that its draft is

`by_turn[MEASURE][N]` are those of the Nth turns of calls (`plan.GROWING`). `frames` are
milliseconds too.
"""

import msgspec

from benchmarks.load.plan import Plan
from benchmarks.load.stats import Summary

OURS, BASE = "turnkit", "relay"
"""The subject that is measured, and the one that all others are held against."""

Samples = dict[str, dict[str, list[float]]]

_SATURATED = 0.9
"""At a real-time priority Linux keeps 5 % of a core back."""


def subject_of(entry: str) -> str:
    """Return the name of the subject in that of an entry (`entries.Entry`)."""
    return entry.partition("-")[0]


class Process(msgspec.Struct, frozen=True):
    """What a process used during the window in which all calls were up."""

    cpu_s: float
    window_s: float
    rss_before_mib: float
    """After a first call, before the others: what is loaded once is in it."""
    rss_mib: float
    cores: int = 1
    """Which it had."""
    shares: list[float] = []
    """Of a core, every few seconds."""

    @property
    def share(self) -> float:
        """Of one core."""
        return self.cpu_s / self.window_s if self.window_s else 0.0

    @property
    def saturated(self) -> bool:
        """Whether there was next to nothing left of its cores."""
        return self.share > _SATURATED * self.cores


class Frames(msgspec.Struct, frozen=True):
    """How the outgoing audio came (`frames`)."""

    pieces: int
    late_share: float
    """By more than a frame (20 ms) after all before it was played."""
    gaps: int
    """Silences that a listener would hear within a reply, of whatever length."""
    gap_ms: float
    """All of them together."""
    uneven: Summary | None
    """Milliseconds behind the beat of its own reply: jitter."""
    uneven_ms: list[float] = []
    """The same, evenly spread ones of many."""


class Counts(msgspec.Struct, frozen=True):
    """What there was, and what went wrong."""

    calls: int
    failed_calls: int
    turns: int
    answered: int
    stale_pieces: int
    """Audio nobody should have heard."""
    stale_turns: int
    interrupted: int
    model_requests: int
    model_connections: int
    voice_connections: int
    fresh_model_turns: int
    """Answered on a connection that had to be opened for it, or had carried nothing before."""
    fresh_voice_turns: int
    flux_connections: int
    """Of as many calls; those beyond were opened because one was lost, and begin the plan anew."""
    disturbed: int
    """Turns that are in no figure: the load itself, or the machine, stood still in them."""


class Links(msgspec.Struct, frozen=True):
    """What cancelling costs in connections."""

    model_waited: list[float] = []
    """Of answers right after a cancelled one: 1 for each whose request came on a connection that
    was opened for it, 0 for each that found one open."""
    voice_waited: list[float] = []
    model_cuts: int = 0
    """Answers that were cut short while all calls were up."""
    model_opened: int = 0
    """Connections that were opened then."""
    voice_opened: int = 0


class Harness(msgspec.Struct, frozen=True):
    """What the load itself was worth: where it is late, so are the figures."""

    late: Summary | None
    """Of the callers' own 20 ms beat."""
    callers_share: float
    providers_share: float
    """Of a core."""
    stolen_s: float
    """What the machine's host took from the subject's cores, while all calls were up."""

    @property
    def share(self) -> float:
        """Of a core, what the load took in all."""
        return self.callers_share + self.providers_share

    @property
    def sound(self) -> bool:
        """Whether the load kept its beat: 99 % within half a frame."""
        return self.late is not None and self.late.p99 < 10.0


class Run(msgspec.Struct):
    """A subject, once."""

    subject: str
    calls: int
    at_once: float
    """Of a soak, fewer than there were in all."""
    round: int
    samples: Samples
    by_turn: dict[str, dict[int, list[float]]]
    links: Links
    counts: Counts
    frames: Frames
    process: Process
    harness: Harness
    memory_mib: list[tuple[float, float, float]] = []
    """Of a soak: seconds since the start, MiB, calls begun by then."""


class Ratio(msgspec.Struct, frozen=True):
    """Against the relay in the same run: the medians' ratio, and its 95 % interval."""

    value: float
    low: float
    high: float


class Row(msgspec.Struct):
    """All runs of a subject at one number of calls together."""

    subject: str
    calls: int
    turns: int
    cases: dict[str, dict[str, Summary]]
    overhead: Summary | None
    """Over all cases together."""
    growth: dict[str, dict[str, Summary]]
    """By measure (`plan.GROWING`) and turn numbers, over the cases whose audio is not ready before
    the end."""
    cpu_s_per_call_minute: float
    mib_per_call: float
    late_share: float
    gaps: int
    answered_share: float
    stale_turns: int
    links: Links
    jitter: Summary | None
    harness_sound: bool
    to_relay: dict[str, Ratio] = {}
    """Of the overhead, by case; where the relay was run at as many calls."""


class Footprint(msgspec.Struct, frozen=True):
    """What a subject costs before the first call (`footprint`). Times are medians."""

    subject: str
    installed_mb: float
    """Packages of a fresh environment, bytecode included; a megabyte has a million bytes."""
    packages: int
    import_s: float
    """Processor time of all that its program imports, files being in the page cache: other work on
    the machine does not lengthen it."""
    modules: int
    """Which that loads."""
    ready_s: float
    """From the process's start until it takes connections; 0 if it is not a program of its own."""
    rss_mib: float
    """Then."""


class LoadResult(msgspec.Struct):
    """All of it."""

    suite: str
    plan: Plan
    placement: str
    subjects: dict[str, str]
    """What each is."""
    versions: dict[str, dict[str, str]]
    """Of each subject's packages."""
    runs: list[Run]
    rows: list[Row]
    calls: int = 0
    """Of suites with one number of calls that counts most: that; its metrics do not name it."""
    capacity: dict[str, dict[str, float]] = {}
    """By subject: see `capacity.capacity_of`; of a soak, what each call leaves behind."""
    caveats: list[str] = []
    footprints: list[Footprint] = []
    """Of suite `peers`."""
