"""turnkit as a subject: the server, the session, the source, the model and the voice it ships.

Settings are the defaults but for the addresses, room for many calls, and the limit of drafts a
minute, which is there for the bill. The log goes where it goes by default, at its default level.
Settings of one's own come as `NAME=VALUE` behind the contract's arguments.
"""

import os
import sys
from functools import partial
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[3]))
os.chdir(Path(__file__).parent)  # no turnkit.toml of somebody's

from benchmarks.load.subjects import contract  # noqa: E402  # found only now
from turnkit import ModelAgent, config, log, plug, workers  # noqa: E402
from turnkit.asgi import create_app  # noqa: E402
from turnkit.server import serve  # noqa: E402


class Subject(ModelAgent):
    """Passes the conversation on, and speaks what comes back as it comes: `agents/chat.py`."""

    instructions = "You are on the telephone. Answer in one or two short spoken sentences."


def main() -> None:
    """Serve until told to stop."""
    task = contract.read()
    own = dict(argument.split("=", 1) for argument in task.more)
    settings = config.load(
        **{
            "source": task.flux,
            "voice": "aura",
            "aura_url": task.voice,
            "deepgram_api_key": "bench",
            "llm": "openai:bench",
            "openai_base_url": task.llm,
            "port": task.port,
            "max_calls": 10_000,
            "drafts_per_minute": 1000,
            "drain_s": 0,
            **own,
        }
    )
    log.configure(settings)
    plug.check(settings)  # as `turnkit serve` does: it imports what the first call would wait for
    build = partial(create_app, Subject, settings)
    if settings.workers > 1:
        workers.serve(build, settings)
    else:
        serve(build(), settings)


if __name__ == "__main__":
    main()
