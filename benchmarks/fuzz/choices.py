"""Strange messages out of bytes: what a fuzzer's input decides, step by step. Pure."""

import json
from copy import deepcopy
from typing import Any

_STRANGE: tuple[Any, ...] = (
    None,
    True,
    0,
    -1,
    1,
    0.5,
    2**31,
    2**53 + 1,
    2**64,
    -(2**70),
    1e-300,
    1e308,
    float("nan"),
    float("inf"),
    "",
    "0",
    "0.7",
    "nan",
    "1e400",
    "true",
    "EndOfTurn",
    "TurnInfo",
    "\ud800",
    "\x00",
    "\u2028\u202e",
    "é" * 40,
    "a" * 5000,
    [],
    [[]],
    {},
    {"type": "Connected"},
)


class Choices:
    """Reads choices from bytes; when they are used up, every choice is the first."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    def below(self, count: int) -> int:
        """Choose a number from 0 to `count` - 1, up to 256."""
        if self._at >= len(self._data):
            return 0
        self._at += 1
        return self._data[self._at - 1] % count

    def rest(self) -> bytes:
        """Take all bytes that are left."""
        rest, self._at = self._data[self._at :], len(self._data)
        return rest

    def altered(self, messages: tuple[dict[str, Any], ...]) -> str:
        """Choose a message and write it with some parts replaced, dropped, added or cut off."""
        message = deepcopy(messages[self.below(len(messages))])
        for _ in range(1 + self.below(4)):
            self._alter(message)
        text = json.dumps(message, ensure_ascii=bool(self.below(2)))
        match self.below(8):
            case 1:
                return text[: self.below(256)]
            case 2:
                return text + self.rest().decode("latin-1")
            case 3:
                return text.replace(":", ":" + "[" * (1 + self.below(256) * 16), 1)
            case _:
                return text

    def _alter(self, inside: Any) -> None:
        while True:
            places = list(inside) if isinstance(inside, dict) else list(range(len(inside)))
            if not places:
                return
            place = places[self.below(len(places))]
            if isinstance(inside[place], dict | list) and self.below(2):
                inside = inside[place]
                continue
            break
        match self.below(4):
            case 0:
                del inside[place]
            case 1 if isinstance(inside, dict):
                inside[self.rest()[:20].decode("latin-1")] = deepcopy(inside[place])
            case _:
                inside[place] = deepcopy(_STRANGE[self.below(len(_STRANGE))])
