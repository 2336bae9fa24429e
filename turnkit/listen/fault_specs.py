"""Faults as they are written on a command line: `drop@5s`, `stall:2s@message=7`, `1011:p=0.01`.

    NAME[:ARGUMENT][@WHEN[,WHEN ...]]

WHEN is `5s` (of audio), an event or a message's type (`EagerEndOfTurn`, the second one is
`EagerEndOfTurn#2`), `message=7`, `connection=0`, or `p=0.01`. Pure.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from difflib import get_close_matches
from typing import Any, Final, TypeAlias, get_args

from turnkit.errors import ConfigError
from turnkit.listen.breaches import BREACHES
from turnkit.listen.faults import (
    AtMessage,
    Breach,
    Close,
    Drop,
    Fail,
    Fault,
    Forgetful,
    Garbage,
    HalfOpen,
    Hang,
    Jitter,
    Late,
    Refuse,
    RefuseConfigure,
    Skip,
    SlowConfigure,
    Stall,
    Twice,
    Unending,
)
from turnkit.sources.flux_wire import EVENTS, ServerMessage

Build: TypeAlias = Callable[[str], Fault]
"""Makes a fault of its argument. Raises ValueError, saying what was expected."""


@dataclass(frozen=True, slots=True)
class Kind:
    """A fault that can be asked for by name."""

    argument: str
    """How its argument is written, "" if it has none."""
    sentence: str
    build: Build


_NAMES = EVENTS | {str(kind.__struct_config__.tag) for kind in get_args(ServerMessage)} - {
    "TurnInfo"
}
_SECONDS = re.compile(r"(\d+(?:\.\d+)?)(ms|s)")
_EVENT = re.compile(r"([A-Za-z]+)(?:#([1-9]\d{0,5}))?")
_COUNT = re.compile(r"\d{1,9}")
_MAX_S = 86400.0


def parse_fault(spec: str) -> Fault:
    """Read one fault. Raises ConfigError, naming what is wrong and what was expected."""
    head, at, when = spec.partition("@")
    name, _, argument = head.partition(":")
    if argument.startswith(("p=", "message=", "connection=")):  # before or after the @, it is clear
        when, argument = ",".join(filter(None, (argument, when))), ""
    try:
        fault = _build(name.strip(), argument.strip())
        for condition in when.split(",") if at or when else []:
            fault = _limited(fault, condition.strip())
        _check(fault)
    except ValueError as exc:
        raise ConfigError(f"fault {spec!r}: {exc}") from None
    return fault


def _build(name: str, argument: str) -> Fault:
    if name.isdecimal() and not argument:  # 429 and 1011 say enough
        name, argument = ("refuse" if int(name) < 1000 else "close"), name
    kind = KINDS.get(name)
    if kind is None:
        near = get_close_matches(name, KINDS, n=1, cutoff=0.5)
        hint = f"did you mean {near[0]!r}? " if near else ""
        raise ValueError(f"there is no {name!r}; {hint}`--fault list` shows what there is")
    if argument and not kind.argument:
        raise ValueError(f"{name} takes no argument; put when it strikes behind an @")
    return kind.build(argument)


def _limited(fault: Fault, condition: str) -> Fault:
    fields = _condition(condition)
    if not isinstance(fault, AtMessage) and not fields.keys() <= {"connection", "p"}:
        raise ValueError("it concerns a whole connection; only connection=N and p=0.5 fit")
    return replace(fault, **fields)


def _condition(text: str) -> dict[str, Any]:
    name, equals, value = text.partition("=")
    if equals:
        if name == "p":
            return {"p": _probability(value)}
        if name in {"message", "connection"} and _COUNT.fullmatch(value):
            return {name: int(value)}
        raise ValueError(f"{text!r} is not message=N, connection=N or p=0.5")
    if _SECONDS.fullmatch(text):
        return {"audio_s": _seconds(text)}
    event = _EVENT.fullmatch(text)
    if event is None or event[1] not in _NAMES:
        known = ", ".join(sorted(_NAMES))
        raise ValueError(f"{text!r} is not when: write 5s, message=7, connection=0, p=0.5, {known}")
    return {"event": event[1], "nth": int(event[2]) if event[2] else None}


def _check(fault: Fault) -> None:
    """Find what can never strike."""
    if isinstance(fault, Breach):
        events = BREACHES[fault.kind].events
        if events is not None and fault.event not in {None, *events}:
            raise ValueError(f"it can only be at {' or '.join(sorted(events))}, not {fault.event}")


def _seconds(text: str) -> float:
    match = _SECONDS.fullmatch(text)
    if match is None:
        raise ValueError(f"{text!r} is not a time such as 2s, 0.5s or 300ms")
    seconds = float(match[1]) / (1000 if match[2] == "ms" else 1)
    if seconds > _MAX_S:
        raise ValueError(f"{text!r} is more than a day")
    return seconds


def _probability(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 <= value <= 1:
        raise ValueError(f"p={text} is not a probability; write 0 to 1")
    return value


def _refuse(argument: str) -> Fault:
    status, _, after = (argument or "503").partition("/")
    if not (status.isdecimal() and 400 <= int(status) <= 599):
        raise ValueError(f"{status!r} is not an HTTP status from 400 to 599")
    if after and not _COUNT.fullmatch(after):
        raise ValueError(f"{after!r} is not a Retry-After in whole seconds, as in refuse:429/2")
    return Refuse(status=int(status), retry_after=after or None)


def _close(argument: str) -> Fault:
    code, _, reason = (argument or "1011").partition("/")
    # RFC 6455, section 7.4: the others may not be sent, or not by a server.
    may_be_sent = {1000, 1001, 1002, 1003, *range(1007, 1015), *range(3000, 5000)} - {1010}
    if not (code.isdecimal() and int(code) in may_be_sent):
        raise ValueError(f"{code!r} is not a close code a server may send, such as 1011 or 1008")
    if len(reason.encode()) > 123:
        raise ValueError("a close reason has at most 123 bytes")
    return Close(code=int(code), reason=reason)


def _plain(fault: Fault) -> Build:
    return lambda _: fault


def _breach(kind: str) -> Kind:
    sentence = BREACHES[kind].sentence
    return Kind("", sentence[0].upper() + sentence[1:] + ".", _plain(Breach(kind=kind)))


KINDS: Final[Mapping[str, Kind]] = {
    "refuse": Kind(
        "STATUS[/RETRY_AFTER]",
        "Refuse the handshake: `429`, `refuse:429/2`, `refuse:401`.",
        _refuse,
    ),
    "hang": Kind("", "Never answer the handshake.", _plain(Hang())),
    "drop": Kind("", "Break the connection off without a close.", _plain(Drop())),
    "close": Kind("CODE[/REASON]", "Close: `1011`, `close:1011/NET-0001`.", _close),
    "error": Kind("CODE", "Say Error, then close.", lambda a: Fail(code=a) if a else Fail()),
    "half-open": Kind("", "Neither read nor write any more, but stay.", _plain(HalfOpen())),
    "stall": Kind(
        "TIME",
        "Say nothing for so long, then all at once; without a time, nothing ever again.",
        lambda a: Stall(for_s=_seconds(a)) if a else Stall(),
    ),
    "jitter": Kind(
        "TIME",
        "Send messages late, by up to so much (300ms).",
        lambda a: Jitter(up_to_s=_seconds(a)) if a else Jitter(),
    ),
    "skip": Kind("", "Lose a message.", _plain(Skip())),
    "twice": Kind("", "Send a message twice, the very same.", _plain(Twice())),
    "late": Kind("", "Send a message after the next one.", _plain(Late())),
    "garbage": Kind("", "Send a frame that is no message before a message.", _plain(Garbage())),
    "slow-configure": Kind(
        "TIME",
        "Answer a Configure after so long (2s); refuse another one meanwhile.",
        lambda a: SlowConfigure(for_s=_seconds(a)) if a else SlowConfigure(),
    ),
    "configure-failure": Kind("", "Refuse a Configure.", _plain(RefuseConfigure())),
    "unending": Kind("", "Never end a turn unless told to.", _plain(Unending())),
    "forgetful": Kind(
        "", "After StartOfTurn say nothing but updates without words.", _plain(Forgetful())
    ),
    **{kind: _breach(kind) for kind in BREACHES},
}
"""The faults by their names."""
