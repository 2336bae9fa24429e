"""pocketsphinx's decoders: opened ahead, lent for a stretch of speech, told what to expect.

A decoder takes 0.5 s to open, during which its process does nothing else, and some 90 MB, none of
it shared. So there are as many as there are streams, up to a limit; beyond it streams take turns,
which works well, since nobody speaks all the time.
"""

import re
import threading
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from weakref import WeakKeyDictionary

import structlog

from turnkit.recognizers.base import RATE_HZ, Keyterms
from turnkit.recognizers.pronunciation import pronounce

log = structlog.get_logger(__name__)

# How many states of its models it keeps in play, and how unlikely a word's end may be. Its own
# 30000 states make 79.5 % of 448 words wrong, in 0.21 s for a second of speech; these 78.8 %, in
# 0.12 s. The beam, for its own 7e-29, leaves as many of 382 wrong and saves up to a tenth more.
_STATES = 5000
_WORD_BEAM = 1e-20

# How much likelier a keyterm is than any word of the model's 134,866 is on average. On ten
# sentences with a rare word each, 2 are heard without keyterms, 6 with them at 1, 7 at 300; beyond
# that they are heard where nobody says them: 1 time in 129 s at 300 with 22 keyterms, 3 at 3000.
_KEYTERM_WEIGHT = 300.0

_LIMIT_KEYTERMS = 100  # Flux's own

_COMMENT = re.compile(r"/\*.*?\*/|//[^\n]*", re.DOTALL)
_NOT_SPOKEN = re.compile(r"#JSGF[^;]*;|grammar\s[^;]*;|import\s[^;]*;|\bpublic\b|<[^>]*>|\{[^}]*\}")
_SPOKEN = re.compile(r"[^\W\d_][\w'.-]*")


@dataclass(eq=False, slots=True)
class Decoder:
    """One of pocketsphinx's, and what the names of its keyterms stand for."""

    sphinx: Any
    keyterms: Keyterms
    phrases: dict[str, str] = field(default_factory=dict)


class Decoders:
    """All decoders of a process. Safe for several threads."""

    def __init__(self, limit: int, grammar: Path | None = None, keyterms: Keyterms = ()) -> None:
        self._limit = limit
        self._grammar = grammar
        self._lock = threading.Lock()
        self._all: list[Decoder] = []
        self._free: list[Decoder] = []  # the longest free first
        self._streams: WeakKeyDictionary[object, Keyterms] = WeakKeyDictionary()
        with self._lock:
            self._make(self._kept(keyterms))

    def __len__(self) -> int:
        return len(self._all)

    def join(self, stream: object, keyterms: Keyterms) -> None:
        """Get ready for a stream that expects these words: open a decoder if there are too few."""
        with self._lock:
            self._streams[stream] = keyterms = self._kept(keyterms)
            same = sum(expected == keyterms for expected in self._streams.values())
            ready = sum(decoder.keyterms == keyterms for decoder in self._all)
            if ready < same and (len(self._all) < self._limit or not ready):
                self._make(keyterms)

    def leave(self, stream: object) -> None:
        """Forget the stream; decoders stay open for those to come."""
        with self._lock:
            self._streams.pop(stream, None)

    def take(self, keyterms: Keyterms) -> Decoder | None:
        """Lend a decoder that expects these words; None if all are taken."""
        with self._lock:
            wanted = self._kept(keyterms)
            if not any(decoder.keyterms == wanted for decoder in self._free):
                self._make(wanted)
            for number, decoder in enumerate(self._free):
                if decoder.keyterms == wanted:
                    return self._free.pop(number)
            return None

    def give(self, decoder: Decoder) -> None:
        """Take a decoder back."""
        with self._lock:
            self._free.append(decoder)

    def _kept(self, keyterms: Keyterms) -> Keyterms:
        return () if self._grammar is not None else keyterms[:_LIMIT_KEYTERMS]

    def _make(self, keyterms: Keyterms) -> None:
        """Open a decoder, in place of the longest free one if there are enough of them."""
        if len(self._all) >= self._limit:
            if not self._free:
                return
            self._all.remove(self._free.pop(0))
        decoder = self._opened(keyterms)
        self._all.append(decoder)
        self._free.append(decoder)

    def _opened(self, keyterms: Keyterms) -> Decoder:
        import pocketsphinx  # noqa: PLC0415  # extra `local`

        # The two further passes over a finished stretch would make its words 2 to 5 points better,
        # and its end 0.2 s (at worst 1.7 s) later: without them it takes 5 ms.
        asked = {
            "samprate": RATE_HZ,
            "bestpath": False,
            "fwdflat": False,
            "maxhmmpf": _STATES,
            "wbeam": _WORD_BEAM,
            "loglevel": "FATAL",
        }
        if not keyterms and self._grammar is None:
            decoder = Decoder(pocketsphinx.Decoder(**asked), ())
        else:
            decoder = Decoder(pocketsphinx.Decoder(**asked, lm=None), keyterms)
            if self._grammar is None:
                _expect(decoder)
            else:
                _restrict(decoder, self._grammar)
        return decoder


def _expect(decoder: Decoder) -> None:
    """Give the decoder a language model in which its keyterms are words, and likely ones.

    A phrase is one word, since pairs of rare words are rarer still; what of it no dictionary knows
    is besides a word of its own, because people shorten names.
    """
    import pocketsphinx  # noqa: PLC0415  # extra `local`

    sphinx = decoder.sphinx
    path = pocketsphinx.get_model_path("en-us/en-us.lm.bin")
    model = pocketsphinx.NGramModel(sphinx.config, sphinx.logmath, path)
    for phrase in _phrases(sphinx, decoder.keyterms):
        sounds = [_sounds(sphinx, word) for word in phrase.lower().split()]
        if not all(sounds):
            log.warning("recognizer.keyterm_skipped", pii_keyterm=phrase, reason="unpronounceable")
            continue
        name = f"keyterm-{len(decoder.phrases)}"
        decoder.phrases[name] = phrase
        model.add_word(name, _KEYTERM_WEIGHT)
        sphinx.add_word(name, " ".join(sounds), False)  # noqa: FBT003  # C's order
    sphinx.add_lm("biased", model)
    sphinx.activate_search("biased")


def _phrases(sphinx: Any, keyterms: Keyterms) -> list[str]:
    """Return what is to be expected: each keyterm, and the words in it that nobody knows."""
    words = (w for term in keyterms if len(term.split()) > 1 for w in term.split())
    unknown = [word for word in words if sphinx.lookup_word(word.lower()) is None]
    return list(dict.fromkeys([*(" ".join(term.split()) for term in keyterms if term), *unknown]))


def _restrict(decoder: Decoder, grammar: Path) -> None:
    """Let the decoder hear what the grammar allows, and nothing else."""
    sphinx = decoder.sphinx
    text = _NOT_SPOKEN.sub(" ", _COMMENT.sub(" ", grammar.read_text("utf-8")))
    for word in dict.fromkeys(_SPOKEN.findall(text)):
        if sphinx.lookup_word(word) is None and (sounds := _sounds(sphinx, word.lower())):
            sphinx.add_word(word, sounds, False)  # noqa: FBT003  # C's order
    try:
        sphinx.add_jsgf_file("grammar", str(grammar))
        sphinx.activate_search("grammar")
    except (RuntimeError, ValueError, KeyError) as exc:
        raise ValueError(f"grammar {grammar} cannot be used: is it JSGF? ({exc})") from exc


def _sounds(sphinx: Any, word: str) -> str:
    """Return how a word is said: as in the dictionary, or as espeak-ng would say it."""
    return sphinx.lookup_word(word) or pronounce(word)
