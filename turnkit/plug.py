"""From a name on the command line to the object behind it: the whole plug-in story.

`NAME` or `NAME:ARGUMENT` is the module NAME in the seam's own folder; `package.module` is a module
of anybody's. Either way the module's `create` function is the plug-in. There is no list to edit.
"""

import difflib
import importlib
import importlib.util
import pkgutil
import re
from functools import cache
from pathlib import Path
from types import ModuleType

from turnkit.audio.frames import AudioFormat
from turnkit.config import Settings
from turnkit.errors import ConfigError
from turnkit.listeners.trace import prepare_folder
from turnkit.llm.base import Model
from turnkit.recognizers.base import SpeechModel
from turnkit.sources.base import TurnSource
from turnkit.tts.base import Synthesizer

_VARIANT = re.compile(r"^([a-z_]+)([-,])")
"""`deepgram-eu`, or a list of routes that begins with a bare name: `deepgram,wss://host`."""

_CREATES = re.compile(r"^def create\(|^from .*\bcreate\b|^    create,$", re.MULTILINE)
"""What a plug-in has in its file, and the parts of one (`flux_wire`) have not."""


def open_source(settings: Settings, audio: AudioFormat) -> TurnSource:
    """Make the turn source that the settings name, for audio of this format. Raises ConfigError."""
    module, argument = load("source", "turnkit.sources", _as_plug_in(settings.source))
    source: TurnSource = module.create(argument, settings, audio)
    return source


def _as_plug_in(spec: str) -> str:
    """Say as NAME:ARGUMENT what may also be written as URL, NAME-ARGUMENT or NAME,ARGUMENT."""
    if spec.startswith(("ws://", "wss://")):
        return f"flux:{spec}"
    return _VARIANT.sub(lambda match: match[1] + (":" if match[2] == "-" else ":,"), spec)


def open_voice(settings: Settings) -> Synthesizer:
    """Make the synthesizer that the settings name. Raises ConfigError."""
    module, argument = load("voice", "turnkit.tts", settings.voice)
    voice: Synthesizer = module.create(argument, settings)
    return voice


def open_model(settings: Settings) -> Model:
    """Make the model that the settings name. Raises ConfigError."""
    module, argument = load("llm", "turnkit.llm", settings.llm)
    model: Model = module.create(argument, settings)
    return model


def open_speech_model(settings: Settings) -> SpeechModel:
    """Choose the recognizer of speech that the settings name; loads nothing. Raises ConfigError."""
    name, colon, argument = settings.recognizer.partition(":")
    spec = name.replace("-", "_") + colon + argument
    module, chosen = load("recognizer", "turnkit.recognizers", spec)
    model: SpeechModel = module.create(chosen, settings)
    return model


def check(settings: Settings) -> None:
    """Find out now, and not in the first call, whether source, voice, model and trace can be had.

    It also imports what they need: the first call would be heard to wait for it.
    """
    if settings.trace is not None:
        prepare_folder(settings.trace)
    open_source(settings, AudioFormat(16000))
    open_voice(settings)
    open_model(settings)


async def close(settings: Settings) -> None:
    """Close what the model keeps open between calls; for the end of a server.

    A module of a model may have an async function `close` for that.
    """
    module, _ = load("llm", "turnkit.llm", settings.llm)
    if (close_model := getattr(module, "close", None)) is not None:
        await close_model()


def load(kind: str, package: str, spec: str) -> tuple[ModuleType, str | None]:
    """Import what `spec` names; return its module and argument.

    Args:
        kind: what it is, for messages: "source", "voice", "llm" or "recognizer".
        package: the folder it is looked for in, such as "turnkit.sources".
        spec: what the user wrote.

    Raises:
        ConfigError: there is no such module, or it has no `create` function.
    """
    name, _, argument = spec.partition(":")
    path = name if "." in name else f"{package}.{name}"
    if not (_exists(path) if "." in name else name in names(package)):
        raise ConfigError(f"{kind} {name!r} is unknown; {_advice(package, name)}")
    module = importlib.import_module(path)
    if not callable(getattr(module, "create", None)):
        raise ConfigError(f"{kind} {name!r}: module {path} has no function create()")
    return module, argument or None


def names(package: str) -> list[str]:
    """List what can be named in this folder; none of it is imported for that."""
    modules = pkgutil.iter_modules(importlib.import_module(package).__path__, f"{package}.")
    return sorted(m.name.rpartition(".")[2] for m in modules if _is_plug_in(m.name))


@cache  # each call asks, and would read the files of the whole folder
def _is_plug_in(path: str) -> bool:
    spec = importlib.util.find_spec(path)
    assert spec is not None
    return spec.origin is not None and bool(_CREATES.search(Path(spec.origin).read_text("utf-8")))


def _exists(path: str) -> bool:
    try:
        return importlib.util.find_spec(path) is not None
    except ModuleNotFoundError:  # a parent package is missing
        return False


def _advice(package: str, name: str) -> str:
    known = names(package)
    near = difflib.get_close_matches(name, known, n=1)
    return f"did you mean {near[0]!r}?" if near else f"choose one of: {', '.join(known)}"
