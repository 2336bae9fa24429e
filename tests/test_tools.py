"""What a model is told of a method, and which methods cannot be told of."""

from dataclasses import dataclass
from enum import Enum
from typing import Annotated, Literal

import msgspec
import pytest

from turnkit.agent import Agent
from turnkit.errors import ConfigError
from turnkit.tools import tool, tools_of


class Size(Enum):
    SMALL = "small"
    LARGE = "large"


@dataclass
class Guest:
    name: str
    age: int | None = None


class Everything(Agent):
    @tool(effect="pure", timeout_s=2, while_running="One moment.")
    async def look_up(  # noqa: PLR0917
        self,
        text: str,
        number: int,
        share: float,
        sure: bool,
        day: Literal["monday", "tuesday"],
        size: Size,
        guests: list[Guest],
        prices: dict[str, float],
        note: str | None = None,
        people: Annotated[int, msgspec.Meta(ge=1, description="how many")] = 2,
    ) -> list[str]:
        """Look something up.

        At length.
        """
        return []

    @tool(undo="cancel")
    async def book(self, *, day: str, key: str) -> str:
        """Book it."""
        return key

    async def cancel(self, *, key: str) -> None:
        """Take it back."""

    @tool
    async def wave(self) -> None: ...


def test_a_method_is_described_by_its_signature_and_its_docstring():
    spec = tools_of(Everything)["look_up"].spec
    assert spec.name == "look_up"
    assert spec.description == "Look something up.\n\nAt length."
    assert spec.parameters == {
        "type": "object",
        "properties": {
            "text": {"type": "string"},
            "number": {"type": "integer"},
            "share": {"type": "number"},
            "sure": {"type": "boolean"},
            "day": {"enum": ["monday", "tuesday"]},
            "size": {"$ref": "#/$defs/Size"},
            "guests": {"type": "array", "items": {"$ref": "#/$defs/Guest"}},
            "prices": {"type": "object", "additionalProperties": {"type": "number"}},
            "note": {"anyOf": [{"type": "string"}, {"type": "null"}], "default": None},
            "people": {
                "type": "integer",
                "minimum": 1,
                "description": "how many",
                "default": 2,
            },
        },
        "required": ["text", "number", "share", "sure", "day", "size", "guests", "prices"],
        "additionalProperties": False,
        "$defs": {
            "Size": {"title": "Size", "enum": ["large", "small"]},
            "Guest": {
                "title": "Guest",
                "type": "object",
                "properties": {
                    "name": {"type": "string"},
                    "age": {"anyOf": [{"type": "integer"}, {"type": "null"}], "default": None},
                },
                "required": ["name"],
            },
        },
    }


def test_tools_are_those_marked_in_the_order_they_are_written():
    assert list(tools_of(Everything)) == ["look_up", "book", "wave"]
    assert tools_of(Agent) == {}


def test_what_is_not_said_is_safe():
    wave = tools_of(Everything)["wave"]
    assert (wave.effect, wave.timeout_s, wave.undo) == ("commit", 10.0, None)
    assert wave.spec.description == "wave"


def test_the_key_is_no_business_of_the_models():
    book = tools_of(Everything)["book"]
    assert book.takes_key
    assert book.spec.parameters["properties"] == {"day": {"type": "string"}}


async def call_it():
    return await Everything().book(day="monday", key="k")


@pytest.mark.anyio
async def test_a_tool_is_still_a_method():
    assert await call_it() == "k"


def test_a_subclass_inherits_tools_and_may_take_one_away_or_change_it():
    class Less(Everything):
        wave = None

        @tool(effect="pure")
        async def book(self, day: int) -> None: ...

    found = tools_of(Less)
    assert set(found) == {"look_up", "book"}
    assert found["book"].effect == "pure"


class Odd:
    """Of no use to JSON."""


async def unannotated(self, day): ...
async def odd(self, day: Odd): ...
async def odd_inside(self, day: list[Odd]): ...
async def many(self, *days: str): ...
async def named(self, **days: str): ...
async def by_place(self, day: str, /): ...
async def undefined(self, day: "Undefined"): ...  # noqa: F821
async def changing(self, days: list[str] = ["monday"]): ...  # noqa: B006
async def größe(self): ...  # noqa: PLC2401
def waits(self, day: str): ...
async def yields(self, day: str):
    yield day


@pytest.mark.parametrize(
    ("method", "message"),
    [
        (unannotated, "tool unannotated, parameter 'day' has no annotation; write `day: str`"),
        (odd, "tool odd, parameter 'day': type .*Odd'> is not supported; use str, int"),
        (odd_inside, "tool odd_inside, parameter 'day': type .*Odd'> is not supported"),
        (many, "tool many, parameter 'days': a model needs to be told the names"),
        (named, "tool named, parameter 'days': a model needs to be told the names"),
        (by_place, "tool by_place, parameter 'day': .* leave out the `/`"),
        (undefined, "tool undefined: name 'Undefined' is not defined; import it"),
        (changing, "tool changing: Using a non-empty mutable collection"),
        (größe, "tool größe: the name must be"),
        (waits, "tool waits must be written with `async def`"),
        (yields, "tool yields must be written with `async def`"),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_a_signature_that_cannot_be_described_is_named(method, message):
    with pytest.raises(ConfigError, match=message):
        tool(method)


def test_the_error_comes_when_the_class_is_made_and_names_it():
    with pytest.raises(ConfigError, match=r"Wrong\.book, parameter 'day' has no annotation"):

        class Wrong(Agent):
            @tool
            async def book(self, day): ...


def made(undo, effect="commit"):
    class Made(Agent):
        @tool(undo=undo, effect=effect)
        async def book(self, day: str) -> None: ...

        async def cancel(self, day: str, *, key: str) -> None: ...
        async def cancel_for(self, person: str) -> None: ...
        def cancel_at_once(self) -> None: ...

    return tools_of(Made)


@pytest.mark.parametrize(
    ("undo", "message"),
    [
        ("cansel", r"Made.book: undo='cansel' is no method"),
        ("cancel_at_once", "undo='cancel_at_once' is no method .* `async def`"),
        ("cancel_for", r"undo='cancel_for' wants \['person'\], which book is not given"),
    ],
)
def test_an_undo_that_cannot_work_is_an_error(undo, message):
    assert made("cancel")["book"].undo == "cancel"
    with pytest.raises(ConfigError, match=message):
        made(undo)


def test_there_is_nothing_to_undo_about_what_is_pure():
    with pytest.raises(ConfigError, match="is pure: there is nothing to undo"):
        made("cancel", effect="pure")
