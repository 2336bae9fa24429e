"""What the faults of one connection make of it: a message in, what to do instead of sending it out.

No clock, no chance and no socket here: servers bring those, and carry out the steps in order. The
same messages and the same chances bring the same trouble.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from math import inf
from typing import TypeAlias, TypeVar

import msgspec

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
    MessageFault,
    OnConnection,
    Refuse,
    RefuseConfigure,
    Skip,
    SlowConfigure,
    Stall,
    Twice,
    Unending,
)
from turnkit.sources.flux_query import ListenParameters
from turnkit.sources.flux_wire import (
    ConfigureFailure,
    Connected,
    FluxError,
    ServerMessage,
    TurnInfo,
)

Chance: TypeAlias = Callable[[], float]
"""Gives a number of 0 to 1, and another one each time."""


@dataclass(frozen=True, slots=True)
class Say:
    """Send this message."""

    message: ServerMessage


@dataclass(frozen=True, slots=True)
class Babble:
    """Send this frame, which is no message."""

    frame: str | bytes


@dataclass(frozen=True, slots=True)
class Pause:
    """Wait for so long before what follows."""

    for_s: float


@dataclass(frozen=True, slots=True)
class BreakOff:
    """End the connection without a close."""


@dataclass(frozen=True, slots=True)
class HangUp:
    """Close with this code; None for a close frame without one."""

    code: int | None
    reason: str = ""


@dataclass(frozen=True, slots=True)
class PlayDead:
    """Neither read nor write any more, and stay connected."""


Step: TypeAlias = Say | Babble | Pause | BreakOff | HangUp | PlayDead
"""What to do. Nothing follows the last three."""

T = TypeVar("T", bound=OnConnection)

_GARBAGE: tuple[str | bytes, ...] = (
    "",
    "null",
    "[]",
    "{}",
    '{"type":',
    '{"type":7}',
    '{"type":"Connected"}',
    '{"type":"NewsOfTomorrow","sequence_id":1}',
    '{"type":"TurnInfo","event":"EndOfTurn","turn_index":"none"}',
    "[" * 100_000,
    "\x00\x1b[2J",
    "[object Blob]",
    b"",
    bytes(range(256)),
)


@dataclass(slots=True)
class _Count:
    """How often a fault could have struck, and whether it did."""

    met: int = 0
    struck: bool = False


class Trouble:
    """Follows one connection.

    Args:
        faults: of all connections.
        connection: which one this is.
        chance: for what is left to chance.
    """

    def __init__(self, faults: Iterable[Fault], connection: int, chance: Chance) -> None:
        mine = [fault for fault in faults if fault.connection in {None, connection}]
        self._throughout = [fault for fault in mine if not isinstance(fault, AtMessage)]
        self._at_messages = [(f, _Count()) for f in mine if isinstance(f, AtMessage)]
        self._chance = chance
        self._numbers = _Numbers()
        self._memory = _Memory(forgets=any(isinstance(fault, Forgetful) for fault in mine))
        self._told = 0
        self._heard_s = 0.0
        self._silenced = False
        self._held: list[ServerMessage] = []

    def at_the_door(self) -> Refuse | Hang | None:
        """Say what happens to the handshake, if it is not to be accepted."""
        for fault in self._throughout:
            if isinstance(fault, Refuse | Hang) and self._happens(fault):
                return fault
        return None

    def wanted(self, parameters: ListenParameters) -> ListenParameters:
        """Return by what the turns are to be detected."""
        if self._has(Unending) is None:
            return parameters
        return replace(
            parameters, eager_eot_threshold=None, eot_threshold=1.0, eot_timeout_ms=60000
        )

    @property
    def configure_s(self) -> float:
        """How long the answer to a Configure takes."""
        slow = self._has(SlowConfigure)
        return slow.for_s if slow else 0.0

    def refuses_configure(self) -> bool:
        """Say whether this Configure is refused."""
        refusal = self._has(RefuseConfigure)
        return refusal is not None and self._happens(refusal)

    def refusal(self, description: str) -> list[Step]:
        """Return the ConfigureFailure of an order that the server itself is not to see."""
        failure = ConfigureFailure(code="INVALID_PARAMETER", description=description)
        numbered = self._numbers.inserted(failure)
        return [] if self._silenced else [Say(numbered)]

    def tell(self, message: ServerMessage) -> list[Step]:
        """Return what to do in place of sending the message."""
        if isinstance(message, TurnInfo):
            self._heard_s = max(self._heard_s, message.audio_window_end)
        striking = [fault for fault, n in self._at_messages if self._strikes(fault, n, message)]
        self._told += 1
        end = next((end for fault in striking if (end := self._end(fault, message))), None)
        if end is not None:
            return end
        said = self._said(message, striking)
        if any(isinstance(fault, Late) for fault in striking):
            self._held += said
            return []
        held, self._held = self._held, []
        before = [step for fault in striking for step in self._before(fault)]
        return [] if self._silenced else [*before, *map(Say, said), *map(Say, held)]

    def _strikes(self, fault: MessageFault, count: _Count, message: ServerMessage) -> bool:
        name = message.event if isinstance(message, TurnInfo) else _type(message)
        if fault.event not in {None, name}:
            return False
        if isinstance(fault, Breach) and not _allows(message, fault.kind):
            return False
        count.met += 1
        here = fault.message in {None, self._told}
        once = fault.audio_s is not None and fault.p == 1
        if isinstance(fault, Breach) and fault.message is not None:
            here, once = self._told >= fault.message, True  # it waits for one that allows it
        heard = fault.audio_s is None or self._heard_s >= fault.audio_s
        if not (here and heard and fault.nth in {None, count.met}) or (once and count.struck):
            return False
        count.struck = self._happens(fault)
        return count.struck

    def _end(self, fault: MessageFault, message: ServerMessage) -> list[Step] | None:
        """Return how a fault ends the connection, if it does."""
        match fault:
            case Drop():
                return [BreakOff()]
            case Close(code=code, reason=reason):
                return [HangUp(code, reason)]
            case Fail(code=code):
                error = FluxError(message.sequence_id, code, "a fault that was asked for")
                return [Say(self._numbers.shifted(error)), HangUp(None)]
            case HalfOpen():
                return [PlayDead()]
            case _:
                return None

    def _said(self, message: ServerMessage, striking: list[MessageFault]) -> list[ServerMessage]:
        """Return what is said in place of the message."""
        said = [self._memory.recalled(message)]
        for fault in striking:
            match fault:
                case Breach(kind=kind) if isinstance(said[0], TurnInfo):
                    said = self._numbers.replaced(said[0], kind)
                    break  # one promise at a time
                case _:
                    continue
        else:
            said = [self._numbers.shifted(one) for one in said]
        if any(isinstance(fault, Skip) for fault in striking):
            return []
        return said * 2 if any(isinstance(fault, Twice) for fault in striking) else said

    def _before(self, fault: MessageFault) -> list[Step]:
        """Return what happens before the message."""
        match fault:
            case Stall(for_s=for_s) if for_s < inf:
                return [Pause(for_s)]
            case Stall():
                self._silenced = True
                return []
            case Jitter(up_to_s=up_to_s):
                return [Pause(self._chance() * up_to_s)]
            case Garbage():
                return [Babble(_GARBAGE[int(self._chance() * len(_GARBAGE))])]
            case _:
                return []

    def _happens(self, fault: Fault) -> bool:
        return fault.p >= 1 or self._chance() < fault.p

    def _has(self, kind: type[T]) -> T | None:
        return next((fault for fault in self._throughout if isinstance(fault, kind)), None)


class _Numbers:
    """Numbers what is said, so that a message more or a jump moves those that follow."""

    def __init__(self) -> None:
        self._sequence_shift = 0
        self._turn_shift = 0
        self._last_sequence_id = -1
        self._request_id = ""

    def shifted(self, message: ServerMessage) -> ServerMessage:
        if isinstance(message, Connected):
            self._request_id = message.request_id
        sequence_id = (message.sequence_id or 0) + self._sequence_shift
        self._last_sequence_id = sequence_id
        if not self._sequence_shift and not self._turn_shift:
            return message
        if isinstance(message, TurnInfo):
            turn = message.turn_index + self._turn_shift
            return msgspec.structs.replace(message, sequence_id=sequence_id, turn_index=turn)
        return msgspec.structs.replace(message, sequence_id=sequence_id)

    def inserted(self, failure: ConfigureFailure) -> ConfigureFailure:
        """Give a message that is not the server's own its number."""
        self._sequence_shift += 1
        self._last_sequence_id += 1
        return msgspec.structs.replace(
            failure, request_id=self._request_id, sequence_id=self._last_sequence_id
        )

    def replaced(self, info: TurnInfo, kind: str) -> list[ServerMessage]:
        """Break a promise with this message."""
        breaking = BREACHES[kind]
        made = breaking.make(info)
        said: list[ServerMessage] = []
        for n, one in enumerate(made):
            said.append(self.shifted(one))
            self._sequence_shift += n < len(made) - 1
        if breaking.lasts:
            self._sequence_shift += made[-1].sequence_id - info.sequence_id
            self._turn_shift += made[-1].turn_index - info.turn_index
        return said


class _Memory:
    """Loses the words of an open turn, if it is a forgetful one."""

    def __init__(self, *, forgets: bool) -> None:
        self._forgets = forgets
        self._turn: int | None = None  # the open one

    def recalled(self, message: ServerMessage) -> ServerMessage:
        if not self._forgets or not isinstance(message, TurnInfo):
            return message
        if self._turn is not None and message.trigger != "manual":
            return msgspec.structs.replace(
                message,
                event="Update",
                transcript="",
                words=(),
                trigger=None,
                turn_index=self._turn,
            )
        self._turn = message.turn_index if message.event == "StartOfTurn" else None
        return message


def _allows(message: ServerMessage, kind: str) -> bool:
    events = BREACHES[kind].events
    return isinstance(message, TurnInfo) and (events is None or message.event in events)


def _type(message: ServerMessage) -> str:
    return str(type(message).__struct_config__.tag)
