"""What a subject is asked to do. The standard library only: it is imported in any environment.

    python PROGRAM --port P --flux URL --llm URL --voice URL [more of its own]

It serves Twilio Media Streams at `ws://127.0.0.1:P/twilio` (and turnkit's own protocol at `/ws`, if
it says so). Each call is heard by the Flux at `--flux`, answered by the model at `--llm` (an OpenAI
base URL, any model name, any key) in the voice at `--voice` (Deepgram Aura's WebSocket, any key).
Once connections are accepted, it is ready. It ends at SIGTERM, and when its standard input does.
"""

import argparse
import os
import signal
import sys
import threading
from dataclasses import dataclass


@dataclass(frozen=True)
class Task:
    """Where everything is."""

    port: int
    flux: str
    llm: str
    voice: str
    more: list[str]
    """Arguments that are the subject's own."""


def read() -> Task:
    """Read the command line, and end this process when whoever started it is gone."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, required=True)
    for name in ("flux", "llm", "voice"):
        parser.add_argument(f"--{name}", required=True)
    given, more = parser.parse_known_args()
    threading.Thread(target=_end_with_parent, daemon=True).start()
    return Task(given.port, given.flux, given.llm, given.voice, more)


def _end_with_parent() -> None:
    while os.read(sys.stdin.fileno(), 1024):
        continue
    os.kill(os.getpid(), signal.SIGTERM)
