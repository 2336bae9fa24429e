"""From `agents/echo.py` to the class in it: finds the one Agent that a user means.

A spec is a file (`my_agent.py`), a module (`my.module`), or the name of an example that comes with
turnkit (`echo`); `:Name` behind it picks a class where there are several.
"""

import importlib
import importlib.util
import inspect
import sys
from pathlib import Path
from types import ModuleType
from typing import TypeGuard

from turnkit.agent import Agent
from turnkit.errors import ConfigError

_EXPECTED = "name a file (my_agent.py), a module, or an example such as echo"

EXAMPLES = (Path(__file__).parent / "agents", Path(__file__).parent.parent / "agents")
"""Inside the wheel, and beside the package in a checkout."""


def load_agent(spec: str) -> type[Agent]:
    """Import what `spec` names and return its Agent class. Raises ConfigError."""
    place, _, name = spec.rpartition(":")
    if not place or not name.isidentifier():  # of a path, "C:" is a part
        place, name = spec, ""
    if not place:
        raise ConfigError(f"agent {spec!r}: {_EXPECTED}")
    module = _import(place)
    agents: list[type[Agent]] = [a for a in vars(module).values() if _is_own_agent(a, module)]
    if name:
        agents = [agent for agent in agents if agent.__name__ == name]
    match agents:
        case [agent]:
            _check(agent, spec)
            return agent
        case []:
            wanted = f"class {name}" if name else "subclass of turnkit.Agent"
            raise ConfigError(f"agent {spec!r}: no {wanted} in {module.__file__}")
        case _:
            found = ", ".join(agent.__name__ for agent in agents)
            raise ConfigError(f"agent {spec!r}: several agents ({found}); pick one: {place}:NAME")


def try_out(agent: type[Agent], spec: str) -> None:
    """Make one as each call will, and throw it away. Raises ConfigError if that cannot be done.

    What is wrong is to show at the start, and not in the first call.
    """
    try:
        agent()
    except ConfigError:
        raise
    except Exception as exc:  # whatever the user's code raises
        advice = "each call makes one, without arguments"
        raise ConfigError(
            f"agent {spec!r}: {agent.__name__}() fails, and {advice}: {_where(exc)}"
        ) from exc


def _check(agent: type[Agent], spec: str) -> None:
    advice = "write `async def reply(self, turn): yield ...`"
    if agent.reply is Agent.reply:
        raise ConfigError(f"agent {spec!r}: {agent.__name__} has no reply(); {advice}")
    if inspect.iscoroutinefunction(agent.reply):
        raise ConfigError(f"agent {spec!r}: reply() of {agent.__name__} never yields; {advice}")


def _is_own_agent(item: object, module: ModuleType) -> TypeGuard[type[Agent]]:
    return (
        inspect.isclass(item)
        and issubclass(item, Agent)
        and item.__module__ == module.__name__
        and not item.__name__.startswith("_")
    )


def _import(place: str) -> ModuleType:
    try:
        if path := _file(place):
            return _import_file(path)
        return importlib.import_module(place)
    except ConfigError:
        raise
    except ModuleNotFoundError as exc:
        if exc.name and place.split(".", maxsplit=1)[0] == exc.name:
            raise ConfigError(
                f"agent {place!r}: there is no such file, module or example; {_EXPECTED}"
            ) from None
        raise ConfigError(f"agent {place!r} needs the package {exc.name!r}: install it") from exc
    except (Exception, SystemExit) as exc:  # whatever the user's code raises on import
        raise ConfigError(f"agent {place!r} does not import: {_where(exc)}") from exc


def _file(place: str) -> Path | None:
    if place.endswith(".py"):
        path = Path(place)
        if not path.is_file():
            raise ConfigError(f"agent {place!r}: there is no such file; {_EXPECTED}")
        return path
    return next((p for d in EXAMPLES if (p := d / f"{place}.py").is_file()), None)


def _import_file(path: Path) -> ModuleType:
    name = _module_name(path)
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # dataclasses and pickle look a class's module up there
    sys.path.insert(0, str(path.parent.resolve()))  # an agent may import its neighbours
    try:
        spec.loader.exec_module(module)
    finally:
        sys.path.pop(0)
    return module


def _module_name(path: Path) -> str:
    """Return the file's name, unless another module has it: an agent may be called json.py."""
    loaded = getattr(sys.modules.get(path.stem), "__file__", None)
    taken = path.stem in sys.stdlib_module_names or loaded not in {None, str(path.absolute())}
    return f"agent_{path.stem}" if taken else path.stem


def _where(exc: BaseException) -> str:
    """Say what was raised, and on which line of whose file."""
    if isinstance(exc, SyntaxError):
        return f"{exc.filename}:{exc.lineno}: {exc.msg}" if exc.filename else exc.msg
    frames = inspect.getinnerframes(exc.__traceback__) if exc.__traceback__ else []
    ours = not frames or frames[-1].filename == __file__
    place = "" if ours else f"{frames[-1].filename}:{frames[-1].lineno}: "
    return f"{place}{type(exc).__name__}: {exc}"
