"""What the log of a self-hosted Deepgram says of Flux. Pure.

The lines are those that Deepgram's containers print (engine and API, releases 251015 to 2608xx).
They change between releases in what surrounds them, so a line is known by its telling words alone.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field

from turnkit.doctor.finding import Finding, bad, doubtful, good

_READY = re.compile(r"Finished prewarming Flux model|flux-subprocess.*Model loaded successfully")
_INSERTED = re.compile(r'Inserting model key=AsrKey \{[^}]*?name: "([^"]+)"[^}]*')
_FLUX = re.compile(r"architecture: Some\(Flux\)|mode: TurnTaking")

_TOLD_CHARS = 64  # of a log's own words in our messages


@dataclass(frozen=True, slots=True)
class _Sign:
    """A line that tells of a problem."""

    telling: re.Pattern[str]
    grade: str
    what: str
    advice: str


_SIGNS = (
    _Sign(
        re.compile(r"Can't find (\S+) model"),
        "bad",
        "the model file of {} is missing",
        "put the .dg file that Deepgram gave you into the engine's models directory, or name in "
        "[flux] model_name of engine.toml the model that is there",
    ),
    _Sign(
        re.compile(r"unknown variant `turn-taking`"),
        "bad",
        "a Flux model is present, but the engine does not run Flux",
        "set [flux] enabled = true in engine.toml; if it is, use an image of release-251015 or "
        "newer",
    ),
    _Sign(
        re.compile(r"missing field `socket_path`"),
        "bad",
        "the engine's image is older than release-251015 and does not know [flux]",
        "use an image of release-251015 (October 2025) or newer for engine and API",
    ),
    _Sign(
        re.compile(r"Running model on device cpu", re.IGNORECASE),
        "bad",
        "the GPU is not usable: the model runs on the processor, far too slowly",
        "install NVIDIA's container toolkit and start the engine with the GPU (Ampere or newer, "
        "not T4); set health.gpu_required in engine.toml, so that this shows at once",
    ),
    _Sign(
        re.compile(r"CUDA out of memory|CUDA_ERROR_OUT_OF_MEMORY"),
        "bad",
        "the GPU's memory is used up, mostly by another model on the same engine",
        "run Flux on an engine of its own, with no other model in its models directory; if it is "
        "alone, lower [flux] max_streams in engine.toml",
    ),
    _Sign(
        re.compile(r"active_requests\b.*(?:exceed|limit)|(?:exceed|limit).*active_requests\b"),
        "bad",
        "the API's limit of streams was reached: calls are refused with HTTP 429",
        "raise concurrency_limit.active_requests in api.toml, up to what the engine can carry "
        "(flux_max_streams in its metrics), or add engines",
    ),
    _Sign(
        re.compile(r"audio_window_end increased by more than \d+ frames"),
        "doubtful",
        "the engine is overloaded and falls behind the audio",
        "lower [flux] max_streams in engine.toml to what this GPU can carry, or add engines",
    ),
)


@dataclass(slots=True)
class EngineLog:
    """Reads one log, line by line; `findings` is asked at its end."""

    name: str
    """The file's, for messages."""
    ready: bool = False
    """Whether Flux was loaded."""
    flux_models: set[str] = field(default_factory=set)
    other_models: set[str] = field(default_factory=set)
    _seen: dict[int, tuple[int, str, int]] = field(default_factory=dict)  # line, word, times

    def read(self, lines: Iterable[str]) -> None:
        """Take in lines, the first of which has number 1."""
        for number, line in enumerate(lines, 1):
            self._take(number, line)

    def findings(self) -> list[Finding]:
        """Return what was found, the problems in the order in which they appeared."""
        found = [self._problem(place) for place in sorted(self._seen, key=self._seen.__getitem__)]
        if self.other_models and self.flux_models:
            others = ", ".join(sorted(self.other_models)[:5])
            what = f"a second model ({others}) is on the engine that runs Flux"
            found.append(bad(what, self.name, "move it to an engine of its own; Flux wants one"))
        if self.ready:
            found.append(good("Flux was loaded and is ready", self.name))
        elif self.flux_models and not found:
            what = f"{', '.join(sorted(self.flux_models))} is present, but Flux was never started"
            advice = "set [flux] enabled = true in engine.toml and start the engine again"
            found.append(bad(what, self.name, advice))
        return found or [doubtful("nothing about Flux", self.name, "is it the engine's log?")]

    def _take(self, number: int, line: str) -> None:
        if inserted := _INSERTED.search(line):
            kind = self.flux_models if _FLUX.search(inserted[0]) else self.other_models
            kind.add(inserted[1][:_TOLD_CHARS])
        self.ready = self.ready or bool(_READY.search(line))
        for place, sign in enumerate(_SIGNS):
            if told := sign.telling.search(line):
                word = told[1][:_TOLD_CHARS] if sign.telling.groups else ""
                first, word, times = self._seen.get(place, (number, word, 0))
                self._seen[place] = first, word, times + 1

    def _problem(self, place: int) -> Finding:
        first, word, times = self._seen[place]
        sign = _SIGNS[place]
        what = sign.what.format(word) + (f" ({times} times)" if times > 1 else "")
        where = f"{self.name}:{first}"
        return Finding("bad" if sign.grade == "bad" else "doubtful", what, where, sign.advice)
