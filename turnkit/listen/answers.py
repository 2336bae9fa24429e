"""What a service answers besides turns: Connected, the configuration, warnings and errors.

It numbers all messages of a stream, and keeps the parameters in force. Pure.
"""

from itertools import count
from typing import Any

import numpy as np

from turnkit.sources.flux_query import ListenParameters, ParameterRefused
from turnkit.sources.flux_wire import (
    NO_ACTIVE_TURN,
    ActiveThresholds,
    Configure,
    ConfigureFailure,
    ConfigureSuccess,
    Connected,
    FluxError,
    FluxWarning,
    TurnInfo,
    configured,
)

_MULTILINGUAL = "flux-general-multi"
_LANGUAGES = ("en",)  # of scripts and of recordings that do not say


class Answers:
    """Words for one stream's client."""

    def __init__(self, parameters: ListenParameters, request_id: str) -> None:
        self.parameters = parameters
        self._request_id = request_id
        self._sequence = count()

    def connected(self) -> Connected:
        """Greet."""
        return Connected(request_id=self._request_id, sequence_id=next(self._sequence))

    def turn(self, **said: Any) -> TurnInfo:
        """Tell of a turn; languages are added where the model says them."""
        multilingual = self.parameters.model == _MULTILINGUAL
        languages = {
            "languages": _LANGUAGES if said["transcript"] else (),
            "languages_hinted": self.parameters.language_hints,
        }
        defaults = languages if multilingual else {}
        given = {name: value for name, value in said.items() if value is not None}
        numbers = {"request_id": self._request_id, "sequence_id": next(self._sequence)}
        return TurnInfo(**(defaults | given | numbers))

    def configure(self, order: Configure) -> ConfigureSuccess | ConfigureFailure:
        """Change the parameters, or say why not."""
        try:
            self.parameters = configured(self.parameters, order)
        except ParameterRefused as exc:
            return ConfigureFailure(
                self._request_id, next(self._sequence), exc.code, exc.description
            )
        now = self.parameters
        return ConfigureSuccess(
            thresholds=ActiveThresholds(
                now.eager_eot_threshold, now.eot_threshold, now.eot_timeout_ms
            ),
            keyterms=now.keyterms,
            request_id=self._request_id,
            sequence_id=next(self._sequence),
            language_hints=now.language_hints if now.model == _MULTILINGUAL else None,
            numerals=now.numerals,
        )

    def nothing_to_end(self, why: str = "there is no active turn to end") -> FluxWarning:
        """Answer a ForceEndTurn that ends nothing."""
        return FluxWarning(self._request_id, next(self._sequence), NO_ACTIVE_TURN, why)

    def error(self, code: str, description: str) -> FluxError:
        """Give up."""
        return FluxError(next(self._sequence), code, description)


def single(seconds: float) -> float:
    """Round to a 32-bit float, which is what Flux sends, and write it as briefly as one can be."""
    return float(str(np.float32(seconds)))
