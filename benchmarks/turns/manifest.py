"""Packs of labelled speech, as their `manifest.json` describes them. Reads files, writes none.

A pack is a folder with a `manifest.json` and audio. What is scored is a *recording*: one channel of
one clip, which is what an endpoint hears. The labels this reads, per clip:

    id, file, duration_s, sample_rate, channels, channel_names, kind, language, transcript
    labels.segments      [[start, end], ...], or by speaker, or [{start, end, speaker}, ...]
    labels.turns         [{start, end, quality, speaker, ipus, hold_spans, next_own_speech}, ...]
    labels.backchannels  [{start, end, speaker}, ...]
    labels.unscored      [[start, end], ...], or by speaker

Times are seconds from the clip's start. Fields that are not listed are passed over.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal, NamedTuple, TypeAlias

import msgspec

from turnkit.audio.files import read_audio
from turnkit.audio.frames import Samples
from turnkit.errors import ConfigError

RATE_HZ: Final = 16000
SCORED_QUALITIES: Final = frozenset({"clear", "overlap"})
"""Of turns; in `ambiguous` and `uncertain` ones nobody can say who is right."""

_LABEL_ERROR_S = 0.05  # how exact labels are: spans may stick out of their turn by so much

Quality: TypeAlias = Literal["clear", "overlap", "ambiguous", "uncertain"]


class Span(NamedTuple):
    """From when to when, in seconds from the clip's start."""

    start_s: float
    end_s: float

    @property
    def length_s(self) -> float:
        """How long it is."""
        return self.end_s - self.start_s

    def holds(self, at_s: float) -> bool:
        """Tell whether that instant is in it, both ends included."""
        return self.start_s <= at_s <= self.end_s


@dataclass(frozen=True, slots=True)
class Turn:
    """One turn of the voice in a recording."""

    span: Span
    quality: Quality
    speaker: str | None
    speech: tuple[Span, ...]
    """Its stretches of speech, from first to last."""
    holds: tuple[Span, ...]
    """The silences within it, through which an agent has to wait."""
    next_speech_s: float | None
    """When the same channel speaks again; None: never."""

    @property
    def scored(self) -> bool:
        """Tell whether the label is good enough to judge by."""
        return self.quality in SCORED_QUALITIES


@dataclass(frozen=True, slots=True)
class Recording:
    """One channel of one clip, with what is known of it."""

    id: str
    """The clip's, with `:channel` if the clip has several."""
    clip: str
    kind: str
    language: str | None
    file: Path
    channel: int
    duration_s: float
    transcript: str | None
    """What is said on all of its channels; so None for one channel of several."""
    turns: tuple[Turn, ...]
    speech: tuple[Span, ...] | None
    """All speech on the channel; empty: there is none; None: nobody looked."""
    others: tuple[Span, ...]
    """Speech on the clip's other channels."""
    backchannels: tuple[Span, ...]
    unscored: tuple[Span, ...]

    @property
    def scored_turns(self) -> list[tuple[int, Turn]]:
        """The turns to judge by, with their positions in `turns`."""
        return [(n, turn) for n, turn in enumerate(self.turns) if turn.scored]

    def read(self) -> Samples:
        """Read its audio at `RATE_HZ`. Raises ConfigError."""
        return read_audio(self.file, RATE_HZ, channel=self.channel)


def load_pack(path: str | Path) -> list[Recording]:
    """Read a pack: a folder with a `manifest.json`, or the manifest itself.

    Raises:
        ConfigError: it is missing, is not in this format, or contradicts itself.
    """
    path = Path(path)
    manifest = path / "manifest.json" if path.is_dir() else path
    try:
        text = manifest.read_bytes()
    except OSError as exc:
        raise ConfigError(
            f"{manifest} cannot be read: {exc.strerror}; give a folder with a manifest.json"
        ) from None
    return _recordings(text, manifest)


def _recordings(text: bytes, manifest: Path) -> list[Recording]:
    try:
        clips = msgspec.json.decode(text, type=_Manifest).clips
    except (msgspec.DecodeError, UnicodeError) as exc:
        raise ConfigError(f"{manifest} is no manifest of labelled speech: {exc}") from None
    if not clips:
        raise ConfigError(f"{manifest} lists no clips")
    seen: set[str] = set()
    for clip in clips:
        if clip.id in seen:
            raise ConfigError(f"{manifest}: clip {clip.id!r} is listed twice; give each its own id")
        seen.add(clip.id)
    return [
        recording
        for clip in clips
        for recording in _channels(clip, manifest.parent, where=f"{manifest}: clip {clip.id!r}")
    ]


class _Segment(msgspec.Struct):
    start: float
    end: float
    speaker: str | None = None


class _Turn(_Segment):
    quality: Quality = "clear"
    ipus: tuple[Span, ...] = ()
    hold_spans: tuple[Span, ...] = ()
    next_own_speech: float | None = None


_Spans: TypeAlias = tuple[tuple[float, float] | _Segment, ...]


class _Labels(msgspec.Struct):
    segments: _Spans | dict[str, _Spans] | None = None
    turns: tuple[_Turn, ...] = ()
    backchannels: tuple[_Segment, ...] = ()
    unscored: _Spans | dict[str, _Spans] = ()


class _Clip(msgspec.Struct):
    id: str
    file: str
    duration_s: float
    kind: str = "utterance"
    channels: int = 1
    channel_names: tuple[str, ...] = ()
    language: str | None = None
    transcript: str | None = None
    labels: _Labels = msgspec.field(default_factory=_Labels)


class _Manifest(msgspec.Struct):
    clips: tuple[_Clip, ...]


def _channels(clip: _Clip, folder: Path, where: str) -> Iterator[Recording]:
    """Give each channel of a clip as a recording; several channels have a name and voice each."""
    if clip.channels < 1:
        raise ConfigError(f"{where} has {clip.channels} channels; expected 1 or more")
    if clip.channels == 1:
        yield _recording(clip, folder, where, None)
        return
    if len(set(clip.channel_names)) != clip.channels:
        raise ConfigError(
            f"{where} has {clip.channels} channels, but channel_names {list(clip.channel_names)}; "
            "name each"
        )
    strangers = {t.speaker for t in clip.labels.turns} - set(clip.channel_names)
    if strangers:
        raise ConfigError(
            f"{where}: turns of {sorted(map(str, strangers))}, who are none of its channels "
            f"{list(clip.channel_names)}"
        )
    for name in clip.channel_names:
        yield _recording(clip, folder, where, name)


def _recording(clip: _Clip, folder: Path, where: str, voice: str | None) -> Recording:
    labels = clip.labels
    own = [turn for turn in labels.turns if voice in (None, turn.speaker)]
    speech = None if labels.segments is None else _of_voice(labels.segments, voice)
    channel = clip.channel_names.index(voice) if voice is not None else 0
    return Recording(
        id=clip.id if voice is None else f"{clip.id}:{voice}",
        clip=clip.id,
        kind=clip.kind,
        language=clip.language,
        file=folder / clip.file,
        channel=channel,
        duration_s=clip.duration_s,
        transcript=clip.transcript if voice is None else None,
        turns=_turns(own, speech or (), where),
        speech=speech,
        others=_of_others(labels.segments, voice),
        backchannels=tuple(
            Span(b.start, b.end) for b in labels.backchannels if voice in (None, b.speaker)
        ),
        unscored=_of_voice(labels.unscored, voice),
    )


def _of_voice(spans: _Spans | dict[str, _Spans], voice: str | None) -> tuple[Span, ...]:
    """Return the spans of one voice, or of all of them, in order."""
    if isinstance(spans, dict):
        chosen = [span for name, own in spans.items() if voice in (None, name) for span in own]
    else:
        chosen = [
            span
            for span in spans
            if voice is None or not isinstance(span, _Segment) or span.speaker == voice
        ]
    return tuple(sorted(map(_span, chosen)))


def _of_others(spans: _Spans | dict[str, _Spans] | None, voice: str | None) -> tuple[Span, ...]:
    if voice is None or not isinstance(spans, dict):
        return ()
    return tuple(
        sorted(_span(span) for name, other in spans.items() if name != voice for span in other)
    )


def _span(span: tuple[float, float] | _Segment) -> Span:
    return Span(span.start, span.end) if isinstance(span, _Segment) else Span(*span)


def _turns(given: Sequence[_Turn], speech: Sequence[Span], where: str) -> tuple[Turn, ...]:
    turns = sorted(given, key=lambda turn: turn.start)
    for n, turn in enumerate(turns):
        _check(turn, where)
        if n and turn.start < turns[n - 1].end:
            raise ConfigError(
                f"{where}: the turn at {turn.start} s begins before the one before it ends, at "
                f"{turns[n - 1].end} s; one channel holds one turn at a time"
            )
    return tuple(_turn(turn, speech, turns[n + 1 :]) for n, turn in enumerate(turns))


def _check(turn: _Turn, where: str) -> None:
    if not 0 <= turn.start < turn.end:
        raise ConfigError(f"{where}: a turn from {turn.start} s to {turn.end} s")
    for span in (*turn.ipus, *turn.hold_spans):
        inside = turn.start - _LABEL_ERROR_S <= span.start_s < span.end_s
        if not inside or span.end_s > turn.end + _LABEL_ERROR_S:
            raise ConfigError(
                f"{where}: a span from {span.start_s} s to {span.end_s} s in the turn from "
                f"{turn.start} s to {turn.end} s"
            )


def _turn(turn: _Turn, speech: Sequence[Span], later: Sequence[_Turn]) -> Turn:
    nexts = [span.start_s for span in speech if span.start_s > turn.end]
    nexts += [other.start for other in later]
    if turn.next_own_speech is not None:
        nexts.append(turn.next_own_speech)
    span = Span(turn.start, turn.end)
    return Turn(
        span=span,
        quality=turn.quality,
        speaker=turn.speaker,
        speech=turn.ipus or (span,),
        holds=turn.hold_spans,
        next_speech_s=min(nexts, default=None),
    )
