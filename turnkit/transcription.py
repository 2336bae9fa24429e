"""A recording, transcribed as a whole: `POST /v1/audio/transcriptions` of AIgateway or the like.

The official OpenAI SDK (extra `openai`) sends it, tries again, and keeps to Retry-After; what is
wrong with the file or the settings is said before anything is sent, since an upload costs time and
money.
"""

import io
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal, TypeAlias, cast, get_args

import anyio
import msgspec

from turnkit import aigateway, config
from turnkit.config import Settings
from turnkit.dial import is_private
from turnkit.errors import ConfigError, Fault, TurnkitError

if TYPE_CHECKING:
    from openai import APIStatusError, AsyncOpenAI

Format: TypeAlias = Literal["text", "json", "verbose_json", "srt", "vtt"]
FORMATS: Final = cast("tuple[Format, ...]", get_args(Format))

Progress: TypeAlias = Callable[[int, int], None]
"""Told how many bytes were sent, and of how many; it starts again from 0 with each try."""

KINDS: Final = {
    ".flac": "audio/flac",
    ".m4a": "audio/mp4",
    ".mp3": "audio/mpeg",
    ".mp4": "audio/mp4",
    ".mpeg": "audio/mpeg",
    ".mpga": "audio/mpeg",
    ".ogg": "audio/ogg",
    ".opus": "audio/ogg",
    ".wav": "audio/wav",
    ".webm": "audio/webm",
}
"""The files that may be sent, by their suffix: those OpenAI's endpoint takes."""

RETRIES: Final = 2
"""How often a request is sent again that failed for a passing reason. The SDK waits half a second
and a second, or as long as Retry-After says; if that is above two minutes it does not try again."""

_CONNECT_S = 10.0
_MB = 1_000_000
_HEAD_BYTES = 64
_LANGUAGE = re.compile(r"[a-z]{2,3}(-[A-Za-z0-9]{2,8})?")


class TranscriptionError(TurnkitError):
    """A recording was not transcribed.

    `fault` says whose fault it was, as a ModelError's does: "refused" is ours or the account's, and
    no retry helps; "busy" asks us to come back, after `retry_after_s` if it says so; "lost" is the
    network's or the service's; "slow" took longer than allowed; "nonsense" is an answer that cannot
    be used. `status` is that of HTTP, if there was one.
    """

    def __init__(
        self,
        message: str,
        fault: Fault,
        *,
        status: int | None = None,
        retry_after_s: float | None = None,
    ) -> None:
        super().__init__(message)
        self.fault: Fault = fault
        self.status = status
        self.retry_after_s = retry_after_s


@dataclass(frozen=True, slots=True)
class Transcription:
    """What was said. `text` is the words, or the subtitles; `body` the answer as it came."""

    text: str
    body: str
    format: Format
    language: str | None = None
    duration_s: float | None = None


class _Answer(msgspec.Struct):
    """The JSON formats; `verbose_json` has segments besides."""

    text: str
    language: str | None = None
    duration: float | None = None


async def transcribe(
    path: str | Path,
    *,
    format: Format = "json",  # noqa: A002  # what everybody calls it
    model: str | None = None,
    language: str | None = None,
    settings: Settings | None = None,
    progress: Progress | None = None,
) -> Transcription:
    """Transcribe a recording.

    Args:
        path: an audio file, of a kind in `KINDS`, of `transcribe_max_mb` at most.
        format: "json" and "text" for the words, "verbose_json" for segments with their times (in
            `body`), "srt" or "vtt" for subtitles.
        model: such as "deepgram/flux"; None for the setting `aigateway_model`.
        language: such as "en"; None lets the service find out.
        settings: None reads them from the environment and turnkit.toml.
        progress: is told how far the upload has come.

    Raises:
        ConfigError: nothing was sent: the file, an argument or a setting is at fault.
        TranscriptionError: it was not transcribed.
    """
    settings = settings or config.load()
    file = check_file(Path(path), settings.transcribe_max_mb)
    _check(format, language)
    client = _client(settings)
    request = _Request(model or settings.aigateway_model, format, language)
    limit_s = settings.transcribe_timeout_s
    with anyio.move_on_after(limit_s), _Upload(file, progress) as upload:
        async with client:
            return await _ask(client, upload, file, request)
    raise TranscriptionError(f"the transcription took longer than {limit_s:g} s", "slow")


def check_file(path: Path, max_mb: float) -> Path:
    """Return the path if the file can be sent. Raises ConfigError."""
    try:
        size_bytes = path.stat().st_size
        if not path.is_file():
            raise ConfigError(f"{path} is no file; name a recording")
        with path.open("rb") as file:
            head = file.read(_HEAD_BYTES)
    except OSError as exc:
        raise ConfigError(f"{path} cannot be read: {exc.strerror or exc}") from exc
    if path.suffix.lower() not in KINDS:
        known = ", ".join(kind.removeprefix(".") for kind in KINDS)
        what = f"a {path.suffix} file" if path.suffix else "a file without a suffix"
        raise ConfigError(f"{path} is {what}; send one of {known}")
    if not head:
        raise ConfigError(f"{path} is empty; name a recording")
    if head.isascii() and head.decode("ascii").isprintable() and not head.startswith(b"RIFF"):
        raise ConfigError(f"{path} holds text, no audio, whatever its name; name a recording")
    if size_bytes > max_mb * _MB:
        raise ConfigError(
            f"{path} is too large: {size_bytes / _MB:.1f} MB of {max_mb:g} MB at most; compress it "
            "(mp3 or opus), cut it, or raise transcribe_max_mb if your service takes more"
        )
    return path


def _check(given: str, language: str | None) -> None:
    if given not in FORMATS:
        raise ConfigError(f"format {given!r} is unknown; choose one of {', '.join(FORMATS)}")
    if language is not None and not _LANGUAGE.fullmatch(language):
        raise ConfigError(f"language {language!r} is no language code; write en, de or pt-BR")


def _client(settings: Settings) -> "AsyncOpenAI":
    url = aigateway.read_base_url(settings.aigateway_base_url)
    key = aigateway.read_key(settings.aigateway_api_key)
    if not key:
        raise ConfigError(f"transcribing needs a key: set the variable {aigateway.KEY}")
    if not is_private(url):
        raise ConfigError(f"{aigateway.BASE_URL} must begin with https://, or others read the key")
    try:
        import openai  # noqa: PLC0415  # an extra, and a third of a second to import
    except ImportError as exc:
        raise ConfigError(
            "transcribing needs a package: install it with `pip install 'turnkit[openai]'`"
        ) from exc
    return openai.AsyncOpenAI(
        api_key=key,
        base_url=url.geturl(),
        max_retries=RETRIES,
        timeout=openai.Timeout(settings.transcribe_timeout_s, connect=_CONNECT_S),
    )


@dataclass(frozen=True, slots=True)
class _Request:
    model: str
    format: Format
    language: str | None


async def _ask(
    client: "AsyncOpenAI", upload: "_Upload", file: Path, request: _Request
) -> Transcription:
    import openai  # noqa: PLC0415  # an extra

    language = request.language
    try:
        answer = await client.audio.transcriptions.with_raw_response.create(
            file=(file.name, upload, KINDS[file.suffix.lower()]),
            model=request.model,
            response_format=request.format,
            language=openai.omit if language is None else language,
        )
    except openai.APIStatusError as exc:
        raise _refused(exc, client.api_key) from None  # its text may quote the key
    except openai.APITimeoutError as exc:
        raise TranscriptionError("the service took too long to answer", "slow") from exc
    except openai.APIConnectionError as exc:
        cause = type(exc.__cause__ or exc).__name__
        raise TranscriptionError(
            f"{client.base_url.host} cannot be reached ({cause}): check the network and "
            f"{aigateway.BASE_URL}, then try again",
            "lost",
        ) from exc
    return _read_answer(answer.text, request.format)


def _read_answer(body: str, wanted: Format) -> Transcription:
    """Read an answer; one in JSON where other words were asked for will do for its text."""
    subtitles = wanted in {"srt", "vtt"}
    try:
        said = msgspec.json.decode(body, type=_Answer, strict=False)
    except msgspec.DecodeError as exc:
        if wanted in {"json", "verbose_json"}:
            raise TranscriptionError(f"the answer is not {wanted}: {exc}", "nonsense") from None
        return Transcription(body.strip() if wanted == "text" else body, body, wanted)
    if subtitles:
        raise TranscriptionError(
            f"the service answered with JSON instead of {wanted}: its model may have no times; "
            "ask for text, or choose another model",
            "nonsense",
        )
    return Transcription(said.text, body, wanted, said.language, said.duration)


def _refused(exc: "APIStatusError", secret: str) -> TranscriptionError:
    status = exc.status_code
    advice = aigateway.on_status(status)
    kind, message = _said(exc.body)
    said = aigateway.quoted(": ".join(part for part in (kind, message) if part), secret)
    wait_s = aigateway.retry_after_s(exc.response.headers.get("retry-after"))
    what = f"the transcription was refused with HTTP {status} ({said or 'no reason given'})"
    fault: Fault = "refused"
    if advice.again:
        fault = "busy" if status in {429, 503} else "lost"
    return TranscriptionError(
        f"{what}: {aigateway.sentence(advice, wait_s)}", fault, status=status, retry_after_s=wait_s
    )


def _said(body: object) -> tuple[str, str]:
    """Return the kind and the message of an error, which the SDK has taken out of its envelope."""
    if not isinstance(body, dict):
        return "", ""
    return str(body.get("type") or body.get("code") or ""), str(body.get("message") or "")


class _Upload(io.FileIO):
    """A file that tells how much of it has been read; nothing of it is kept in memory."""

    def __init__(self, path: Path, progress: Progress | None) -> None:
        super().__init__(path, "rb")
        self._progress = progress
        self._total_bytes = path.stat().st_size

    def read(self, size: int | None = -1, /) -> bytes:
        """Read on, and tell."""
        piece = super().read(-1 if size is None else size) or b""
        if self._progress is not None:
            self._progress(self.tell(), self._total_bytes)
        return piece
