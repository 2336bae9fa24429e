"""What several commands share: their flags, where they print, and how flags become settings."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console

from turnkit import config, log
from turnkit.config import Settings
from turnkit.errors import ConfigError

if TYPE_CHECKING:
    from starlette.applications import Starlette

console = Console(highlight=False)

DEFAULT_AGENT = "front_desk"

AgentArgument = Annotated[
    str, typer.Argument(help="A file (my_agent.py), a module, or an example (echo, front_desk).")
]
Source = Annotated[
    str | None,
    typer.Option(
        help="Who detects turns: local, deepgram, deepgram-eu, cloudflare:wss://host, aigateway, "
        "ws://host/v2/listen, replay:FILE."
    ),
]
Voice = Annotated[
    str | None,
    typer.Option(help="Who speaks: auto, espeak, program, formant."),
]
Model = Annotated[
    str | None,
    typer.Option("--llm", help="Which model agents that have one use: scripted, openai:NAME."),
]
Host = Annotated[str | None, typer.Option(help="The address to listen on.")]
Port = Annotated[int | None, typer.Option(help="The port to listen on.")]
Workers = Annotated[
    int | None, typer.Option(help="How many processes share the port: about one a core.")
]
Sets = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="NAME=VALUE", help="Any other setting; may be repeated."),
]


def read_settings(sets: list[str] | None, *, quiet: bool = False, **flags: Any) -> Settings:
    """Read the settings with these flags over them, and begin to log. Raises ConfigError.

    Args:
        sets: the values of `--set`, each NAME=VALUE.
        quiet: log warnings only, unless told otherwise: for commands that print something better.
        flags: settings by name; None where the flag was not given.
    """
    for pair in sets or []:
        name, equals, value = pair.partition("=")
        if not equals:
            raise ConfigError(f"--set {pair}: write NAME=VALUE")
        flags[name] = value
    if quiet:
        flags.setdefault("log_level", "warning")
    read = config.load(**flags)
    log.configure(read)
    return read


def serve(app: "Starlette", build: "Callable[[], Starlette]", settings: Settings) -> None:
    """Serve until told to stop, with as many processes as the settings say.

    Args:
        app: what one process serves; others make their own.
        build: makes it, in whichever process: something that can be pickled.
        settings: say where, and how many.
    """
    from turnkit import server, workers

    if settings.workers > 1:
        workers.serve(build, settings)
    else:
        server.serve(app, settings)


def shown(host: str) -> str:
    """Return the host as it stands in a URL."""
    return f"[{host}]" if ":" in host else host
