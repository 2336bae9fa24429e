"""What a client asks of Flux in the handshake: the parameters, their limits, and the URL's query.

Both sides make the same `ListenParameters`, so that a client learns of a mistake before it
connects, and in the words the server would have refused it with. No I/O.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias, TypeVar, cast, get_args

import msgspec

from turnkit.audio.frames import Encoding
from turnkit.audio.opus import opus_installed
from turnkit.errors import ConfigError

MODELS: Final = ("flux-general-en", "flux-general-multi")
ENCODINGS: Final = cast("tuple[Encoding, ...]", get_args(Encoding))
"""Raw audio, which is all that turnkit sends."""
Compressed: TypeAlias = Literal["opus", "ogg-opus"]
COMPRESSED: Final = cast("tuple[Compressed, ...]", get_args(Compressed))
"""What it also takes, with the extra `opus`: packets, one a message, and an Ogg stream."""
SAMPLE_RATES_HZ: Final = (8000, 16000, 24000, 44100, 48000)
LANGUAGES: Final = ("en", "es", "fr", "de", "hi", "ru", "pt", "ja", "it", "nl")
REDACTIONS: Final = ("numbers", "aggressive_numbers")

EOT_THRESHOLD: Final = 0.7
EOT_TIMEOUT_MS: Final = 5000

_MAX_KEYTERMS = 100
_MAX_KEYTERM_CHARS = 100
_MAX_TAG_CHARS = 128
_SHOWN_CHARS = 64  # of a peer's own words in our messages
_LANGUAGE_HINT = re.compile(rf"({'|'.join(LANGUAGES)})(-[A-Za-z0-9]{{2,8}})?")
_PARAMETERS = frozenset(
    {
        "model",
        "encoding",
        "sample_rate",
        "eager_eot_threshold",
        "eot_threshold",
        "eot_timeout_ms",
        "keyterm",
        "language_hint",
        "profanity_filter",
        "numerals",
        "redact",
        "mip_opt_out",
        "tag",
    }
)
_KIND_NAMES: dict[type, str] = {int: "a whole number", float: "a number", bool: "true or false"}

T = TypeVar("T")
Words: TypeAlias = tuple[str, ...]


class ParameterRefused(ConfigError):
    """A parameter is not one Flux takes: HTTP 400 to the client that sent it."""

    def __init__(self, description: str, code: str = "INVALID_PARAMETER") -> None:
        super().__init__(description)
        self.description = description
        self.code = code


@dataclass(frozen=True, slots=True)
class ListenParameters:
    """What a client asks for. Making one with values Flux refuses raises ParameterRefused."""

    model: str
    encoding: Encoding
    sample_rate_hz: int
    eager_eot_threshold: float | None = None
    eot_threshold: float = EOT_THRESHOLD
    eot_timeout_ms: int = EOT_TIMEOUT_MS
    keyterms: Words = ()
    language_hints: Words = ()
    profanity_filter: bool = False
    numerals: bool = False
    redact: str | None = None
    mip_opt_out: bool = False
    tags: Words = ()
    compressed: Compressed | None = None
    """How the audio is packed; `encoding` and `sample_rate_hz` do not matter then."""

    def __post_init__(self) -> None:
        _check_one_of("model", self.model, MODELS)
        _check_one_of("encoding", self.encoding, ENCODINGS)
        _check_one_of("sample_rate", self.sample_rate_hz, SAMPLE_RATES_HZ)
        _check_thresholds(self)
        _check_keyterms(self.keyterms)
        _check_language_hints(self.language_hints, self.model)
        if self.redact is not None:
            _check_one_of("redact", self.redact, REDACTIONS)
        if any(len(tag) > _MAX_TAG_CHARS for tag in self.tags):
            raise ParameterRefused(f"tag is too long; send at most {_MAX_TAG_CHARS} characters")

    def query(self) -> list[tuple[str, str]]:
        """Return the query of the handshake's URL, not yet percent-encoded."""
        single = {
            "model": self.model,
            "encoding": self.compressed or self.encoding,
            "sample_rate": self.sample_rate_hz,
            "eager_eot_threshold": self.eager_eot_threshold,
            "eot_threshold": self.eot_threshold,
            "eot_timeout_ms": self.eot_timeout_ms,
            "redact": self.redact,
        }
        flags = {
            "profanity_filter": self.profanity_filter,
            "numerals": self.numerals,
            "mip_opt_out": self.mip_opt_out,
        }
        lists = {"keyterm": self.keyterms, "language_hint": self.language_hints, "tag": self.tags}
        return [
            *((name, str(value)) for name, value in single.items() if value is not None),
            *((name, "true") for name, value in flags.items() if value),
            *((name, value) for name, values in lists.items() for value in values),
        ]


def parse_query(pairs: Iterable[tuple[str, str]]) -> ListenParameters:
    """Read the query of a handshake, already percent-decoded. Raises ParameterRefused."""
    query = _Query(pairs)
    model, encoding = query.single("model", str), query.single("encoding", str)
    compressed = next((known for known in COMPRESSED if known == encoding), None)
    if compressed is not None and not opus_installed():
        raise ParameterRefused(f"encoding {encoding} needs a decoder: pip install 'turnkit[opus]'")
    return ListenParameters(
        model=model,
        encoding=cast("Encoding", encoding) if compressed is None else "linear16",
        sample_rate_hz=query.single("sample_rate", int),
        eager_eot_threshold=query.optional("eager_eot_threshold", float),
        eot_threshold=query.single("eot_threshold", float, EOT_THRESHOLD),
        eot_timeout_ms=query.single("eot_timeout_ms", int, EOT_TIMEOUT_MS),
        keyterms=query.repeated("keyterm"),
        language_hints=query.repeated("language_hint"),
        profanity_filter=query.single("profanity_filter", bool, default=False),
        numerals=query.single("numerals", bool, default=False),
        redact=query.optional("redact", str),
        mip_opt_out=query.single("mip_opt_out", bool, default=False),
        tags=query.repeated("tag"),
        compressed=compressed,
    )


class _Query:
    """The values of a query by name."""

    def __init__(self, pairs: Iterable[tuple[str, str]]) -> None:
        self._values: dict[str, list[str]] = {}
        for name, value in pairs:
            if name not in _PARAMETERS:  # ignored, it would not do what its sender thinks it does
                raise ParameterRefused(f"parameter {_shown(name)} is unknown; leave it out")
            self._values.setdefault(name, []).append(value)

    def repeated(self, name: str) -> Words:
        return tuple(self._values.get(name, ()))

    def single(self, name: str, kind: type[T], default: T | None = None) -> T:
        value = self.optional(name, kind)
        if value is not None:
            return value
        if default is None:
            raise ParameterRefused(f"{name} is missing; model, encoding and sample_rate are needed")
        return default

    def optional(self, name: str, kind: type[T]) -> T | None:
        match self._values.get(name, []):
            case []:
                return None
            case [value]:
                return _read(name, value, kind)
            case _:
                raise ParameterRefused(f"{name} is given more than once")


def _read(name: str, value: str, kind: type[T]) -> T:
    if isinstance(value, kind):
        return value
    try:
        return msgspec.json.decode(
            value, type=kind
        )  # JSON knows no "nan", "0x10", "1_000" or "yes"
    except (msgspec.DecodeError, UnicodeError):
        wanted = _KIND_NAMES[kind]
        raise ParameterRefused(f"{name} must be {wanted}, not {_shown(value)}") from None


def _check_one_of(name: str, value: object, allowed: Iterable[object]) -> None:
    if value not in allowed:
        known = ", ".join(str(one) for one in allowed)
        raise ParameterRefused(f"{name} {_shown(str(value))} is not supported; send one of {known}")


def _check_thresholds(given: ListenParameters) -> None:
    eager, eot, timeout_ms = given.eager_eot_threshold, given.eot_threshold, given.eot_timeout_ms
    if not 0.5 <= eot <= 1.0:
        raise ParameterRefused(f"eot_threshold {eot} is out of range; send 0.5 to 1.0")
    if not 500 <= timeout_ms <= 60000:
        raise ParameterRefused(f"eot_timeout_ms {timeout_ms} is out of range; send 500 to 60000")
    if eager is None:
        return
    if not 0.3 <= eager <= 0.9:
        raise ParameterRefused(f"eager_eot_threshold {eager} is out of range; send 0.3 to 0.9")
    if eager > eot:
        rule = "eager_eot_threshold must be less than or equal to eot_threshold"
        raise ParameterRefused(f"{rule}; {eager} is above {eot}")


def _check_keyterms(keyterms: Words) -> None:
    """Check the limits that can be counted here; that of 500 tokens is the service's to check."""
    if len(keyterms) > _MAX_KEYTERMS:
        raise ParameterRefused(f"Keyterm limit exceeded; send at most {_MAX_KEYTERMS}")
    if not all(keyterm.strip() for keyterm in keyterms):
        raise ParameterRefused("keyterm is blank; leave it out")
    if any(len(keyterm) > _MAX_KEYTERM_CHARS for keyterm in keyterms):
        raise ParameterRefused(f"keyterm is too long; send at most {_MAX_KEYTERM_CHARS} characters")


def _check_language_hints(hints: Words, model: str) -> None:
    if hints and model != "flux-general-multi":
        raise ParameterRefused(f"language_hint is not supported for model {model}")
    for hint in hints:
        if not _LANGUAGE_HINT.fullmatch(hint):
            known = ", ".join(LANGUAGES)
            raise ParameterRefused(f"language_hint {_shown(hint)} is not one of {known}")


def _shown(text: str) -> str:
    """Quote what a peer wrote so that it fits in a header or a log line."""
    return ascii(text[:_SHOWN_CHARS])
