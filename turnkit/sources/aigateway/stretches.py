"""The words a service finds in a call, from results that overlap, repeat and correct each other.

A result speaks of a stretch of the audio. While it is not final, a later one on the same stretch
takes its place; a final one stands. What has been told of a turn that ended is cut off: the words
after it belong to the next turn, and changes to words before it come too late. Pure; seconds are
seconds of the call's audio.
"""

from collections import Counter, deque
from collections.abc import Iterable
from dataclasses import dataclass, replace
from math import inf
from typing import TypeAlias

from turnkit.sources.aigateway.results_wire import Alternative, Results

DUPLICATE = "duplicate"
"""Counted for a final result on a stretch that is final already; nothing of it is used."""
STALE = "stale"
"""Counted for a result that is older than what is known of its stretch; nothing of it is used."""
LATE = "late words"
"""Counted for each word that came too late: its turn has ended, or its stretch was final, without
it or with another in its place."""

_UNTIMED_STEP_S = 0.01
"""Words without times get made-up ones, so short that no stretch has more words than room, and the
same for the same place in a stretch whatever comes after it."""
_UNTIMED_LAG_S = 0.5
"""How far results without times are taken to be behind the audio that was sent."""
_TOLERANCE_S = 0.001  # times are 32-bit floats
_MOVED_S = 0.3
"""How far a word may move from one result to the next and still be the same."""
_MAX_SPANS = 64
_REMEMBERED = 500  # words of ended turns, to compare late results with


@dataclass(frozen=True, slots=True)
class Spoken:
    """A word, when it was said, and whether the service said so or we made it up."""

    word: str
    start_s: float
    end_s: float
    confidence: float = 0.0
    timed: bool = True

    @property
    def middle_s(self) -> float:
        """Where it is by what most of it is."""
        return (self.start_s + self.end_s) / 2


Text: TypeAlias = tuple[Spoken, ...]
Span: TypeAlias = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Stretch:
    """What a result says: the words from `start_s` to `end_s`."""

    start_s: float
    end_s: float
    words: Text
    final: bool


class Stretches:
    """Keeps the words that belong to no ended turn."""

    def __init__(self) -> None:
        self.odd: Counter[str] = Counter()
        """How often results were of no use, by kind."""
        self.covered_s = 0.0
        """As far as any result speaks of the audio."""
        self.final_s = 0.0
        """As far as a final one does."""
        self._finals: Text = ()
        self._spans: tuple[Span, ...] = ()  # of the finals; in order, apart, the newest ones
        self._guesses: Text = ()
        self._guess: Span = (0.0, 0.0)  # where the newest guess begins, and how far one reached
        self._told: deque[Spoken] = deque(maxlen=_REMEMBERED)
        self._told_until_s = -inf
        self._done_s = 0.0
        self._untimed_from_s = 0.0

    @property
    def words(self) -> Text:
        """The words that belong to no ended turn, in order."""
        both = sorted((*self._finals, *self._guesses), key=_start_s)
        return tuple(word for word in both if word.start_s >= self._told_until_s)

    @property
    def resume_s(self) -> float:
        """From where on the audio would have to be heard again."""
        return max(self.final_s, self._done_s)

    def connected(self, base_s: float) -> None:
        """Begin to listen to a new connection; what is known of its audio may change."""
        again = tuple(word for word in self._finals if word.middle_s >= base_s)
        self._finals = tuple(word for word in self._finals if word.middle_s < base_s)
        self._guesses = _sorted(again + self._guesses)
        self._guess = (base_s, base_s)
        cut = ((start, min(end, base_s)) for start, end in self._spans)
        self._spans = tuple(span for span in cut if span[0] < span[1])
        self.covered_s = self.final_s = min(self.final_s, base_s)
        self._untimed_from_s = max(base_s, self._untimed_from_s)

    def take(self, result: Results, base_s: float, sent_s: float) -> Stretch:
        """Take in a result of a connection that began at `base_s` and was sent up to `sent_s`."""
        stretch = self._not_again(self._read(result, base_s, sent_s))
        if stretch.final:
            self._take_final(stretch)
        else:
            self._take_guess(stretch)
        self.covered_s = max(self.covered_s, stretch.end_s)
        return stretch

    def before(self, limit_s: float) -> Text:
        """Return those of the words that begin before this."""
        return tuple(word for word in self.words if word.start_s < limit_s)

    def cut(self, limit_s: float = inf) -> None:
        """Take note that the words before this were told, of a turn that has ended."""
        words = self.before(limit_s)
        if not words:
            return
        # A word's end moves with every result; so a word that begins in the second half of the
        # last one is another word, and one that begins before is the same, or its correction.
        last = words[-1]
        self._told.extend(words)
        self._told_until_s = last.middle_s
        self._done_s = max(self._done_s, last.end_s if last.timed else self.covered_s)
        self._finals = tuple(word for word in self._finals if word.start_s >= last.middle_s)
        self._guesses = tuple(word for word in self._guesses if word.start_s >= last.middle_s)

    # Reading.

    def _read(self, result: Results, base_s: float, sent_s: float) -> Stretch:
        best = result.best
        words = _timed_words(best, base_s, result.start or 0.0)
        if result.start is not None:
            start_s = base_s + result.start
        else:
            start_s = min((w.start_s for w in words), default=self._untimed_from_s)
        if not words:
            words = _made_up(best.transcript.split(), start_s, best.confidence)
        if result.start is not None and result.duration is not None:
            end_s = start_s + result.duration
        else:
            end_s = sent_s - _UNTIMED_LAG_S
        last_s = max((word.end_s for word in words), default=start_s)
        end_s = max(start_s, last_s, min(end_s, sent_s))  # nobody hears what was not sent
        if result.is_final:
            self._untimed_from_s = max(self._untimed_from_s, end_s)
        return Stretch(start_s, end_s, words, result.is_final)

    def _not_again(self, stretch: Stretch) -> Stretch:
        """Drop the last word told, should it have moved so far that it seems to be another."""
        if not self._told or stretch.start_s > self._told[-1].start_s:
            return stretch
        last = self._told[-1]
        stays = any(
            last.start_s <= w.middle_s and w.start_s < self._told_until_s for w in stretch.words
        )
        position = next(
            (n for n, w in enumerate(stretch.words) if w.start_s >= self._told_until_s), None
        )
        if stays or position is None:
            return stretch
        first = stretch.words[position]
        moved = first.start_s < last.end_s + _MOVED_S and _plain(first.word) == _plain(last.word)
        kept = stretch.words[:position] + stretch.words[position + 1 :]
        return replace(stretch, words=kept) if moved else stretch

    # Following.

    def _take_final(self, stretch: Stretch) -> None:
        if stretch.end_s > stretch.start_s and _covered(stretch, self._spans):
            self.odd[DUPLICATE] += 1
        self._look_back(stretch)
        fresh = tuple(w for w in stretch.words if not _within(w.middle_s, self._spans))
        self._finals = _sorted(self._finals + fresh)
        span = (stretch.start_s, stretch.end_s)
        self._guesses = tuple(w for w in self._guesses if not _within(w.middle_s, (span,)))
        if stretch.end_s > self._guess[0]:  # what follows is a stretch of its own
            self._guess = (stretch.end_s, stretch.end_s)
        self._spans = _joined((*self._spans, span))[-_MAX_SPANS:]
        self.final_s = max(self.final_s, stretch.end_s)

    def _take_guess(self, stretch: Stretch) -> None:
        start_s, end_s = self._guess
        older = stretch.end_s < end_s - _TOLERANCE_S and stretch.start_s >= start_s - _TOLERANCE_S
        if older or (stretch.words and _covered(stretch, self._spans)):
            self.odd[STALE] += 1
            return
        span = (stretch.start_s, stretch.end_s)
        fresh = tuple(w for w in stretch.words if not _within(w.middle_s, self._spans))
        kept = tuple(w for w in self._guesses if not _within(w.middle_s, (span,)))
        self._guesses = _sorted(kept + fresh)
        self._guess = (stretch.start_s, max(stretch.end_s, end_s))

    def _look_back(self, stretch: Stretch) -> None:
        """Count the words that a final result has, and that nobody will hear of any more."""
        settled = [
            w
            for w in stretch.words
            if w.start_s < self._told_until_s or _within(w.middle_s, self._spans)
        ]
        begin_s, end_s = stretch.start_s - _MOVED_S, stretch.end_s + _MOVED_S
        known = Counter(
            _plain(w.word)
            for w in (*self._told, *self._finals)
            if begin_s <= w.end_s and w.start_s <= end_s
        )
        self.odd[LATE] += (Counter(_plain(w.word) for w in settled) - known).total()


def shifted(word: Spoken, start_s: float, end_s: float) -> Spoken:
    """Return the word with its times kept within a window."""
    return replace(
        word,
        start_s=min(max(word.start_s, start_s), end_s),
        end_s=min(max(word.end_s, start_s), end_s),
    )


def _timed_words(best: Alternative, base_s: float, from_s: float) -> Text:
    """Return the words if all of them have times; spelled as in the transcript, if they fit it.

    A word that began before its stretch, since the one before was cut off in its middle, is kept in
    its own, or it would seem to have been settled already.
    """
    texts = best.transcript.split()
    spelled = len(texts) == len(best.words)
    words = []
    for n, word in enumerate(best.words):
        if word.start is None or word.end is None:
            return ()
        text = texts[n] if spelled else word.punctuated_word or word.word
        start_s = base_s + max(word.start, from_s)
        words.append(Spoken(text, start_s, max(start_s, base_s + word.end), word.confidence))
    return tuple(words)


def _made_up(texts: Iterable[str], start_s: float, confidence: float) -> Text:
    return tuple(
        Spoken(
            text,
            start_s + n * _UNTIMED_STEP_S,
            start_s + (n + 1) * _UNTIMED_STEP_S,
            confidence,
            timed=False,
        )
        for n, text in enumerate(texts)
    )


def _start_s(word: Spoken) -> float:
    return word.start_s


def _sorted(words: Text) -> Text:
    return tuple(sorted(words, key=_start_s))


def _within(at_s: float, spans: Iterable[Span]) -> bool:
    return any(start <= at_s < end for start, end in spans)


def _covered(stretch: Stretch, spans: Iterable[Span]) -> bool:
    return any(
        start <= stretch.start_s + _TOLERANCE_S and stretch.end_s <= end + _TOLERANCE_S
        for start, end in spans
    )


def _joined(spans: Iterable[Span]) -> tuple[Span, ...]:
    joined: list[Span] = []
    for start, end in sorted(spans):
        if joined and start <= joined[-1][1] + _TOLERANCE_S:
            joined[-1] = (joined[-1][0], max(end, joined[-1][1]))
        else:
            joined.append((start, end))
    return tuple(joined)


def _plain(word: str) -> str:
    """Return a word as it is compared: capitals and points come with the final result."""
    return "".join(letter for letter in word.casefold() if letter.isalnum())
