"""Streaming words into pieces worth speaking. Pure.

The first piece is short, because the user is waiting for it; later ones are sentences, because they
sound better. How the text was cut up on its way in changes nothing about the pieces, but for one
thing. Where text comes by words, as from a model, a full stop behind a word counts at once. To see
whether it goes on as in "Node.js" would take another word, and the user waits for this one; models
write ".js" in one piece.
"""

# ruff: noqa: RUF001  # the punctuation of other scripts is meant

import re

LIMIT_CHARS = 200
"""The longest piece: some 14 s of speech, and as much as is lost when it fails."""

_CLAUSE_CHARS = 60  # later pieces may be clauses from here on, or a slow model leaves gaps
_FIRST_CHARS = 8  # "However," is worth speaking on its own, "So," is not
_FIRST_WORDS = 2
_LOOK_AHEAD_CHARS = 8  # more than any mark below needs to see behind it

# A mark that is certain by itself is matched at once; one that is not, when what follows has come.
_MARK = re.compile(
    r"""
    (?P<sentence>
        [!?…。！？؟।\n]
      | \.["')\]”’*_]{0,4}(?=\s|\Z)      # "3.50", "Node.js" and a URL go on
    )
  | (?P<clause>
        [;，、；：،]
      | (?<!\d)[,—] | (?<=\d)[,—](?=\D)  # "1,000" goes on
      | :(?=\s)                          # so do "10:30" and "https://"
      | (?<=\s)(?:--?|–)(?=\s)           # and "well-kept", "9–5"
    )
    """,
    re.VERBOSE,
)
_ADDRESS = re.compile(r"://|@|www\.|\w[./]\w")
_WORD = re.compile(r"\S*\w\S*")
_LETTERS = re.compile(r"(?:[^\W\d_]\.)*[^\W\d_]")  # "J. Smith", "e.g.", "9 a.m."
_ABBREVIATION = re.compile(
    "approx|ave|blvd|capt|cf|co|col|corp|dept|dr|est|etc|fig|gen|gov|hon|inc|jr|lt|ltd|mr|mrs|ms|mt"
    "|prof|rd|rep|rev|sen|sgt|sr|st|vs"
)
_BEFORE_NUMBERS = frozenset({"no", "nos", "vol"})  # "No. 5", but "No. I cannot."

_MARKUP = [
    (re.compile(r"```\w*|`|\*\*|__|~~"), ""),
    (re.compile(r"!?\[([^\]]*)\]\([^)]*\)"), r"\1"),
    (re.compile(r"\]\(\S*"), ""),  # a link whose words went with the piece before
    (re.compile(r"^\s*(?:#{1,6}|[-+*•>])\s+", re.MULTILINE), ""),
    (re.compile(r"(?<![\s\d])\*|\*(?![\s\d])|(?<!\w)_|_(?!\w)"), ""),  # not "2 * 3", "snake_case"
    (re.compile(r"[\u2600-\u27bf\ufe0e\ufe0f\u200d\U0001f000-\U0001faff]"), ""),  # emoji
    (re.compile(r"^[\s!?.,;:…\"'”’)\]]+(?!\S)|^[\s!?…”’)\]]+"), ""),  # left by the piece before
    (re.compile(r"\s+"), " "),
]


_PLAIN = re.compile(r"[^\W_](?:[^\W_]|[,.;:!?'’-]| (?! ))*\s*")  # most of what is said
_ENDS = tuple(".!?…,;:")


class ClauseCutter:
    """Cuts one reply. All pieces joined are all the text that was fed, to the character."""

    def __init__(self, limit: int = LIMIT_CHARS) -> None:
        self._limit = limit
        self._rest = ""
        self._is_first = True
        self._by_words = False  # rather than letter by letter

    def feed(self, text: str) -> list[str]:
        """Take in more text; return the pieces it completes."""
        self._rest += text
        self._by_words = self._by_words or len(text.strip()) > 1
        pieces = []
        while self._rest and (end := self._cut() or self._forced_cut(_LOOK_AHEAD_CHARS)):
            pieces.append(self._take(end))
        return pieces

    @property
    def could_end(self) -> bool:
        """Whether what is left ends like a clause, so that only more text could tell otherwise."""
        return self._rest.rstrip()[-1:] in _ENDS

    def flush(self) -> list[str]:
        """Return the rest, once no more text comes."""
        pieces = []
        while end := self._forced_cut(0) or len(self._rest):
            pieces.append(self._take(end))
        return pieces

    def _take(self, end: int) -> str:
        piece, self._rest = self._rest[:end], self._rest[end:]
        self._is_first = False
        return piece

    def _cut(self) -> int:
        """Return where the first piece ends that is certain by now, or 0."""
        for mark in _MARK.finditer(self._rest, 0, self._limit + _LOOK_AHEAD_CHARS):
            if mark.end() > self._limit:
                return 0
            if self._is_worth_it(mark) and self._is_certain(mark):
                return mark.end()
        return 0

    def _forced_cut(self, allowed: int) -> int:
        """Return where text over the limit is cut: at its last space, else anywhere; or 0."""
        if len(self._rest) <= self._limit + allowed:
            return 0
        spaces = list(re.finditer(r"\s", self._rest[: self._limit]))
        return spaces[-1].end() if spaces else self._limit

    def _is_worth_it(self, mark: re.Match[str]) -> bool:
        piece = mark.string[: mark.end()]
        if not any(char.isalnum() for char in piece):
            return False
        if mark["sentence"]:
            return True
        if self._is_first:
            return len(_WORD.findall(piece)) >= _FIRST_WORDS or len(piece.strip()) >= _FIRST_CHARS
        return len(piece) >= _CLAUSE_CHARS

    def _is_certain(self, mark: re.Match[str]) -> bool:
        """Tell whether the mark ends what stands before it, rather than being a part of a word."""
        before = mark.string[: mark.start()]
        word = "" if not before or before[-1].isspace() else before.rsplit(maxsplit=1)[-1]
        word = word.lstrip("([\"'“‘*_")
        following = mark.string[mark.end() : mark.end() + 1]
        if mark[0].startswith("."):
            known = following or (self._by_words and word.isalpha())  # "3." may become "3.50"
            return bool(known) and _ends_sentence(word.lower(), mark)
        if mark[0] != "\n" and _ADDRESS.search(word):
            return following.isspace()
        return True


def _ends_sentence(word: str, mark: re.Match[str]) -> bool:
    """Tell whether a full stop behind this word, and before white space if any, ends a sentence."""
    if _LETTERS.fullmatch(word) or _ABBREVIATION.fullmatch(word):
        return False
    if word.isdigit():  # "1. Open the door": the number of an item waits for the item
        return any(char.isalpha() for char in mark.string[: mark.start()])
    if word in _BEFORE_NUMBERS:
        following = mark.string[mark.end() : mark.end() + 2]
        return following.startswith("\n") or (len(following) > 1 and not following[1].isdigit())
    return True


def speakable(text: str) -> str:
    """Return what of a piece is to be said: no markup, no emoji; empty if nothing is.

    For the synthesizer only: the conversation's history keeps what was written.
    """
    if _PLAIN.fullmatch(text):
        return text.strip()
    for pattern, replacement in _MARKUP:
        text = pattern.sub(replacement, text)
    return text.strip() if any(char.isalnum() for char in text) else ""
