"""What a service answers besides turns: Connected, the configuration, warnings and errors.

It numbers all messages of a stream, and keeps the parameters in force. Pure.
"""

from itertools import count

import numpy as np
from msgspec.structs import replace

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
    Word,
    configured,
)

NO_TURN = "there is no active turn to end"

_MULTILINGUAL = "flux-general-multi"
_LANGUAGES = ("en",)
"""Whatever was hinted: the recognizers here know no other language, and recordings rarely say."""


class Answers:
    """Words for one stream's client."""

    def __init__(self, parameters: ListenParameters, request_id: str) -> None:
        self.parameters = parameters
        self._request_id = request_id
        self._sequence = count()

    def connected(self) -> Connected:
        """Greet."""
        return Connected(request_id=self._request_id, sequence_id=next(self._sequence))

    def turn(self, info: TurnInfo) -> TurnInfo:
        """Tell of a turn: as it is, but for the numbers, and the languages of a model with many."""
        languages, hinted = info.languages, info.languages_hinted
        if self.parameters.model == _MULTILINGUAL:
            spoken = _LANGUAGES if info.transcript else ()
            languages = spoken if languages is None else languages
            hinted = self.parameters.language_hints if hinted is None else hinted
        return replace(
            info,
            request_id=self._request_id,
            sequence_id=next(self._sequence),
            languages=languages,
            languages_hinted=hinted,
        )

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

    def nothing_to_end(self, why: str = NO_TURN) -> FluxWarning:
        """Answer a ForceEndTurn that ends nothing."""
        return FluxWarning(self._request_id, next(self._sequence), NO_ACTIVE_TURN, why)

    def error(self, code: str, description: str) -> FluxError:
        """Give up."""
        return FluxError(next(self._sequence), code, description)


def single(seconds: float) -> float:
    """Round to a 32-bit float, which is what Flux sends, and write it as briefly as one can be."""
    return float(str(np.float32(seconds)))


def within(word: Word, start_s: float, end_s: float) -> Word:
    """Keep a word's times within its turn, as Flux does: recognizers hear a little from before."""
    return replace(
        word,
        start=single(min(max(word.start or 0.0, start_s), end_s)),
        end=single(min(max(word.end or 0.0, start_s), end_s)),
    )
