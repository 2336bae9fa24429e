"""What is measured: each a program that keeps to `contract`.

A further one is a `Subject` in `SUBJECTS`: its interpreter may be that of another environment, and
its program any file, since the contract needs nothing but the standard library.
"""

import sys
from dataclasses import dataclass
from pathlib import Path

from benchmarks.load.environments import ENVIRONMENTS

_HERE = Path(__file__).parent


@dataclass(frozen=True, slots=True)
class Subject:
    """A program to measure, and what can be asked of it."""

    name: str
    what: str
    """In a line: versions are found out, settings are not."""
    program: Path
    python: str = sys.executable
    ends: tuple[str, ...] = ("twilio",)
    """Which far ends it serves (`ends.ENDS`), at `/twilio` and `/ws`."""
    http2: bool = False
    """Whether it speaks HTTP/2 to a model that offers it."""
    workers: bool = False
    """Whether it can be several processes behind one port: `workers=N` behind its arguments."""
    packages: tuple[str, ...] = ()
    """Whose versions belong to the result."""
    options: tuple[str, ...] = ()
    """More arguments for the program."""
    wrapper: tuple[str, ...] = ()
    """A program that runs the program, with arguments of its own."""

    @property
    def ready(self) -> bool:
        """Whether its interpreter is there."""
        return Path(self.python).exists()


SUBJECTS: dict[str, Subject] = {
    subject.name: subject
    for subject in (
        Subject(
            "relay",
            "no framework: picows and uvloop, speculates, holds the audio, clears",
            _HERE / "relay.py",
            packages=("picows", "uvloop", "httptools", "msgspec"),
        ),
        Subject(
            "turnkit",
            "a ModelAgent under `turnkit serve`'s own server; llm openai, voice aura, defaults",
            _HERE / "turnkit_subject.py",
            ends=("twilio", "ws"),
            http2=True,
            workers=True,
            packages=("turnkit", "uvloop", "uvicorn", "websockets", "openai", "httpx2"),
        ),
        Subject(
            "pipecat",
            "lean: 8 kHz, eager end of turn, words to the voice as they come, no VAD, uvloop",
            _HERE / "pipecat_subject.py",
            python=ENVIRONMENTS["pipecat"].python,
            packages=("pipecat-ai", "uvloop", "uvicorn", "websockets", "openai", "httpx2"),
        ),
        Subject(
            "livekit",
            "lean: no WebRTC, 8 kHz, preemptive LLM and TTS, no endpointing delay, no VAD, uvloop",
            _HERE / "livekit_subject.py",
            python=ENVIRONMENTS["livekit"].python,
            packages=("livekit-agents", "livekit", "uvloop", "aiohttp", "openai", "httpx2"),
        ),
    )
}
