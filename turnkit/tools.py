"""What an agent can do besides talking: methods that a model may ask for.

A reply may begin as a guess, so a tool says what it does to the world. `effect="pure"` changes
nothing: it may run for a guess, and what it returned is kept for further attempts at the turn.
`effect="commit"`, the default, waits until the turn is final, and runs at most once for a turn and
the same arguments, whatever becomes of the reply (see `turnkit.toolbox`).

    class Bookings(ModelAgent):
        @tool(effect="pure", timeout_s=2)
        async def free_tables(self, day: str, people: int) -> list[str]:
            \"\"\"List the tables that are free.\"\"\"

        @tool(undo="cancel", while_running="One moment.")
        async def book(self, day: str, people: int, *, key: str) -> str:
            \"\"\"Book a table.\"\"\"

        async def cancel(self, *, key: str) -> None: ...
"""

import inspect
import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias, TypeVar, get_type_hints, overload

import msgspec

from turnkit.agent import Agent
from turnkit.errors import ConfigError
from turnkit.llm.base import ToolSpec

Effect: TypeAlias = Literal["pure", "commit"]
Method = TypeVar("Method", bound=Callable[..., Awaitable[object]])

TIMEOUT_S = 10.0
KEY = "key"
"""The parameter that receives the idempotency key; models do not see it."""

_MARK = "__turnkit_tool__"
NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")
"""The names that models' servers accept."""


@dataclass(frozen=True, slots=True)
class Tool:
    """What is known of a method marked with `@tool`."""

    spec: ToolSpec
    effect: Effect
    arguments: type[msgspec.Struct]
    takes_key: bool
    undo: str | None
    timeout_s: float
    while_running: str | None


@overload
def tool(method: Method, /) -> Method: ...
@overload
def tool(
    *,
    effect: Effect = "commit",
    undo: str | None = None,
    timeout_s: float = TIMEOUT_S,
    while_running: str | None = None,
) -> Callable[[Method], Method]: ...
def tool(
    method: Method | None = None,
    /,
    *,
    effect: Effect = "commit",
    undo: str | None = None,
    timeout_s: float = TIMEOUT_S,
    while_running: str | None = None,
) -> Method | Callable[[Method], Method]:
    """Let the model ask for this method. It is described by its signature and its docstring.

    Parameters are of any type that msgspec can read from JSON; `typing.Annotated` with
    `msgspec.Meta(description=...)` says more about one. One named `key` receives what tells this
    use from all others, for services that guard against doing a thing twice. A tool that returns
    an `Agent` hands the conversation over to it (see `turnkit.desk`).

    Args:
        method: where `@tool` stands without parentheses.
        effect: "pure" for what changes nothing, "commit" for what cannot be taken back by silence.
        undo: the name of a method that takes the effect back. It is called, with those of the
            arguments that it has parameters for, when a commit tool was cut short: by its timeout,
            by the user who spoke, or by the end of the call; nobody knows then whether it took
            effect. A tool that raises says that it did not, and one that returned is not undone.
        timeout_s: how long it may run, the wait for a final turn not counted.
        while_running: what to say meanwhile, unless the model has just said something.

    Raises:
        ConfigError: the signature cannot be described.
    """

    def mark(method: Method) -> Method:
        name = method.__qualname__
        is_async: bool = inspect.iscoroutinefunction(method)
        if not is_async:
            raise ConfigError(f"tool {name} must be written with `async def`")
        if effect == "pure" and undo is not None:
            raise ConfigError(f"tool {name} is pure: there is nothing to undo")
        arguments, takes_key = _arguments_of(method)
        spec = ToolSpec(
            method.__name__, inspect.getdoc(method) or method.__name__, _schema(arguments)
        )
        found = Tool(spec, effect, arguments, takes_key, undo, timeout_s, while_running)
        setattr(method, _MARK, found)
        return method

    return mark if method is None else mark(method)


def tools_of(agent: type[Agent]) -> dict[str, Tool]:
    """Return the tools of a class by name, in the order they were written. Raises ConfigError."""
    found: dict[str, Tool] = {}
    for part in reversed(agent.__mro__):
        for name, member in vars(part).items():
            found.pop(name, None)  # overridden
            if isinstance(marked := getattr(member, _MARK, None), Tool):
                found[name] = marked
    for name, marked in found.items():
        if marked.undo is not None:
            _check_undo(agent, name, marked)
    return found


# From a method's signature to what is known of its arguments.


def _arguments_of(method: Callable[..., object]) -> tuple[type[msgspec.Struct], bool]:
    """Return a type that holds the arguments, and whether the method takes a key."""
    name = method.__qualname__
    if not NAME.fullmatch(method.__name__):
        raise ConfigError(f"tool {name}: the name must be of A to Z, digits and _, 64 at most")
    try:
        types = get_type_hints(method, include_extras=True)
    except NameError as exc:
        raise ConfigError(f"tool {name}: {exc}; import it where the class is defined") from None
    _, *parameters = inspect.signature(method).parameters.values()  # without self
    fields = [_field(name, p, types) for p in parameters if p.name != KEY]
    try:
        found = msgspec.defstruct(
            method.__name__, fields, kw_only=True, forbid_unknown_fields=True, module=__name__
        )
    except (TypeError, ValueError) as exc:
        raise ConfigError(f"tool {name}: {exc}") from None
    return found, any(p.name == KEY for p in parameters)


def _field(
    method: str, parameter: inspect.Parameter, types: Mapping[str, Any]
) -> tuple[str, Any] | tuple[str, Any, Any]:
    where = f"tool {method}, parameter {parameter.name!r}"
    if parameter.kind in {parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD}:
        raise ConfigError(f"{where}: a model needs to be told the names; write them out")
    if parameter.kind is parameter.POSITIONAL_ONLY:
        raise ConfigError(f"{where}: it must be possible to give it by name; leave out the `/`")
    if parameter.name not in types:
        raise ConfigError(f"{where} has no annotation; write `{parameter.name}: str` or the like")
    annotation = types[parameter.name]
    try:
        msgspec.json.schema(annotation)
    except (TypeError, ValueError) as exc:
        reason = str(exc).splitlines()[-1]
        raise ConfigError(
            f"{where}: {reason}; use str, int, float, bool, Literal, an Enum, a dataclass, "
            "or a list or dict of these"
        ) from None
    if parameter.default is parameter.empty:
        return parameter.name, annotation
    return parameter.name, annotation, parameter.default


def _schema(arguments: type[msgspec.Struct]) -> dict[str, object]:
    """Return the JSON schema of the object that holds the arguments."""
    _, parts = msgspec.json.schema_components([arguments], ref_template="#/$defs/{name}")
    schema: dict[str, object] = parts.pop(arguments.__name__)
    schema.pop("title")
    return {**schema, "$defs": parts} if parts else schema


def _check_undo(agent: type[Agent], name: str, marked: Tool) -> None:
    where = f"tool {agent.__qualname__}.{name}: undo={marked.undo!r}"
    method = getattr(agent, marked.undo or "", None)
    if not inspect.iscoroutinefunction(method):
        raise ConfigError(f"{where} is no method of {agent.__qualname__} with `async def`")
    _, *parameters = inspect.signature(method).parameters
    if unknown := set(parameters) - {*marked.arguments.__struct_fields__, KEY}:
        raise ConfigError(f"{where} wants {sorted(unknown)}, which {name} is not given")
