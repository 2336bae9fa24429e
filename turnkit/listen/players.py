"""Opens scripts and recordings for `/v2/listen`: read once, played anew to each client."""

from collections.abc import Callable, Sequence
from pathlib import Path

from turnkit.errors import ConfigError
from turnkit.listen.player import Part, Player
from turnkit.listen.recording import Recorded, load_recording
from turnkit.listen.script import parse_script, script_of
from turnkit.listen.scripted import Scripted
from turnkit.listen.service import OpenService

_MAX_BYTES = 8 << 20


def playing(script: Path | str | Sequence[str]) -> OpenService:
    """Play a script: a file, TOML, or what a caller says turn by turn. Raises ConfigError."""
    match script:
        case Path():
            cues = parse_script(_read(script), str(script))
        case str():
            cues = parse_script(script)
        case _:
            cues = script_of(script)
    return _opening(lambda: Scripted(cues))


def replaying(recording: Path) -> OpenService:
    """Play a recording. Raises ConfigError."""
    messages = load_recording(recording)
    return _opening(lambda: Recorded(messages))


def _opening(part: Callable[[], Part]) -> OpenService:
    return lambda parameters, request_id: Player(part(), parameters, request_id)


def _read(path: Path) -> str:
    try:
        if path.stat().st_size > _MAX_BYTES:
            raise ConfigError(f"script {path} is longer than {_MAX_BYTES} bytes")
        return path.read_text(encoding="utf-8")
    except OSError as exc:
        raise ConfigError(f"script {path} cannot be read: {exc.strerror or exc}") from None
    except UnicodeDecodeError as exc:
        raise ConfigError(f"script {path} is not UTF-8 (position {exc.start})") from None
