"""From a name on the command line to the object behind it: the whole plug-in story.

`NAME` or `NAME:ARGUMENT` is the module NAME in the seam's own folder; `package.module` is a module
of anybody's. Either way the module's `create` function is the plug-in. There is no list to edit.
"""

import difflib
import importlib
import importlib.util
import pkgutil
from types import ModuleType

from turnkit.audio.frames import AudioFormat
from turnkit.config import Settings
from turnkit.errors import ConfigError
from turnkit.sources.base import TurnSource
from turnkit.tts.base import Synthesizer

_NOT_PLUGINS = frozenset({"base", "feed", "flux_query", "flux_wire", "clauses"})


def open_source(settings: Settings, audio: AudioFormat) -> TurnSource:
    """Make the turn source that the settings name, for audio of this format. Raises ConfigError."""
    spec = settings.source
    if spec.startswith(("ws://", "wss://")):
        spec = f"flux:{spec}"
    module, argument = load("source", "turnkit.sources", spec)
    source: TurnSource = module.create(argument, settings, audio)
    return source


def open_voice(settings: Settings) -> Synthesizer:
    """Make the synthesizer that the settings name. Raises ConfigError."""
    module, argument = load("voice", "turnkit.tts", settings.voice)
    voice: Synthesizer = module.create(argument, settings)
    return voice


def load(kind: str, package: str, spec: str) -> tuple[ModuleType, str | None]:
    """Import what `spec` names; return its module and argument.

    Args:
        kind: what it is, for messages: "source" or "voice".
        package: the folder it is looked for in, such as "turnkit.sources".
        spec: what the user wrote.

    Raises:
        ConfigError: there is no such module, or it has no `create` function.
    """
    name, _, argument = spec.partition(":")
    path = name if "." in name else f"{package}.{name}"
    if name in _NOT_PLUGINS or not _exists(path):
        raise ConfigError(f"{kind} {name!r} is unknown; {_advice(package, name)}")
    module = importlib.import_module(path)
    if not callable(getattr(module, "create", None)):
        raise ConfigError(f"{kind} {name!r}: module {path} has no function create()")
    return module, argument or None


def names(package: str) -> list[str]:
    """List what can be named in this folder."""
    folder = importlib.import_module(package).__path__
    return sorted(m.name for m in pkgutil.iter_modules(folder) if m.name not in _NOT_PLUGINS)


def _exists(path: str) -> bool:
    try:
        return importlib.util.find_spec(path) is not None
    except ModuleNotFoundError:  # a parent package is missing
        return False


def _advice(package: str, name: str) -> str:
    known = names(package)
    near = difflib.get_close_matches(name, known, n=1)
    return f"did you mean {near[0]!r}?" if near else f"choose one of: {', '.join(known)}"
