"""What the tests of the Flux-compatible server share."""

import pytest

from turnkit.sources.flux_query import ListenParameters
from turnkit.sources.flux_wire import Connected, TurnInfo, Word


@pytest.fixture
def parameters():
    """Make what a client asks for."""

    def made(**asked: object) -> ListenParameters:
        plain = {"model": "flux-general-en", "encoding": "linear16", "sample_rate_hz": 16000}
        return ListenParameters(**(plain | asked))

    return made


def info(event: str, number: int, text: str = "yes", **fields: object) -> TurnInfo:
    """Make a TurnInfo of turn 0, the `number`th message of a connection."""
    given = {
        "request_id": "r",
        "event": event,
        "turn_index": 0,
        "audio_window_start": 0.0,
        "audio_window_end": round(number * 0.24, 2),
        "transcript": text,
        "words": tuple(Word(word, 0.9) for word in text.split()),
        "end_of_turn_confidence": 0.5,
        "sequence_id": number,
        "trigger": "model" if event == "EndOfTurn" else None,
    }
    return TurnInfo(**(given | fields))


@pytest.fixture
def story() -> list[Connected | TurnInfo]:
    """What a server says of two turns, the first with an end that is taken back."""
    first = ["Update", "StartOfTurn", "EagerEndOfTurn", "TurnResumed", "EagerEndOfTurn"]
    said = [info(event, n, "" if n == 1 else "yes") for n, event in enumerate(first, start=1)]
    said.append(info("EndOfTurn", 6))
    start = {"turn_index": 1, "audio_window_start": said[-1].audio_window_end}
    said += [info(e, n, **start) for n, e in enumerate(["StartOfTurn", "EndOfTurn"], start=7)]
    return [Connected("r", 0), *said]
