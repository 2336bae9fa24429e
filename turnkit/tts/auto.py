"""The best voice there is on this computer: espeak-ng in the process, else a program, else our own.

`--voice auto`, the default. It says in the log which one it took.
"""

from collections.abc import Callable

import structlog

from turnkit.config import Settings
from turnkit.errors import ConfigError
from turnkit.tts import espeak, formant, program
from turnkit.tts.base import Synthesizer

log = structlog.get_logger(__name__)

_Create = Callable[[str | None, Settings], Synthesizer]
_BEST_FIRST: dict[str, _Create] = {
    "espeak": espeak.create,
    "program": program.create,
    "formant": formant.create,
}


def create(argument: str | None, settings: Settings) -> Synthesizer:
    """Return the first voice that can be had. Raises ConfigError if it is given an argument."""
    if argument is not None:
        raise ConfigError(
            f"voice auto takes no argument, not {argument!r}; name the voice itself, "
            "as in `espeak:en-us`"
        )
    for name, create_it in _BEST_FIRST.items():
        try:
            voice = create_it(None, settings)
        except ConfigError as exc:
            log.debug("voice.passed_over", voice=name, reason=str(exc))
            continue
        log.info("voice.chosen", voice=name)
        return voice
    raise AssertionError("the formant voice needs nothing")
