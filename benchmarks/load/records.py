"""What the providers and the callers write down. All times are CLOCK_MONOTONIC, in seconds."""

import msgspec


class Event(msgspec.Struct, array_like=True, frozen=True):
    """Something at a provider.

    Kinds, and what their note says:

    - `flux.open`, `flux.sent` (the event), `flux.gone`
    - `model.open`, `model.asked` (the mode), `model.first`: the first token is sent,
      `model.sentence`: the first sentence is, `model.done`, `model.cut`: the client left before
      that, `model.gone`
    - `voice.open`, `voice.text` (the part): a sentence is complete, `voice.sound` (the part): the
      first byte of its audio is sent, `voice.idle`: all is sent, `voice.clear` ("busy" if there was
      something to clear), `voice.gone` (likewise)
    """

    at: float
    kind: str
    link: int
    """Which connection of its kind."""
    call: int = -1
    turn: int = -1
    note: str = ""


class Clear(msgspec.Struct, array_like=True, frozen=True):
    """An order to drop what is not played. `left_s` is how much of it there was."""

    at: float
    left_s: float


class Heard(msgspec.Struct):
    """What one caller received."""

    caller: int
    encoding: str
    dialed_at: float
    at: list[float]
    """When each piece of audio came."""
    seconds: list[float]
    """How much it was."""
    keys: list[bytes]
    """Whose it is: see `codes.key`."""
    clears: list[Clear]
    failure: str = ""


STALL_S = 0.005
"""A load that stands still so long disturbs what is measured."""


class Load(msgspec.Struct):
    """What the callers did."""

    calls: list[Heard]
    late_ms: list[float]
    """How late each beat of their own frames was: what the load itself is worth."""
    stalls: list[tuple[float, float]]
    """From when to when a beat that was more than `STALL_S` late held things up."""
