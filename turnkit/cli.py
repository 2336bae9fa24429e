"""The command line: serve, call, listen. What takes long to import is imported by who needs it."""

import sys
from pathlib import Path
from typing import Annotated, Any

import anyio
import typer
from rich.console import Console
from rich.text import Text

from turnkit import config, log
from turnkit.config import Settings
from turnkit.errors import ConfigError, TurnkitError

app = typer.Typer(
    help="Turn-taking for voice agents.",
    no_args_is_help=True,
    add_completion=True,
    pretty_exceptions_enable=False,
)
console = Console(highlight=False)
errors = Console(stderr=True, highlight=False)

DEFAULT_AGENT = "front_desk"
_COLOURS = {"user": "cyan", "draft": "yellow", "agent": "green", "ledger": "magenta"}

AgentArgument = Annotated[
    str, typer.Argument(help="A file (my_agent.py), a module, or an example (echo, front_desk).")
]
Source = Annotated[
    str | None,
    typer.Option(help="Who detects turns: local, deepgram, ws://host/v2/listen, replay:FILE."),
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
Sets = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="NAME=VALUE", help="Any other setting; may be repeated."),
]


@app.command()
def serve(
    agent: AgentArgument = DEFAULT_AGENT,
    *,
    source: Source = None,
    voice: Voice = None,
    llm: Model = None,
    host: Host = None,
    port: Port = None,
    sets: Sets = None,
) -> None:
    """Serve an agent: a page to talk with it, /ws for programs, /twilio for the telephone."""
    settings = _settings(sets, source=source, voice=voice, llm=llm, host=host, port=port)

    from turnkit.asgi import create_app  # noqa: PLC0415
    from turnkit.loader import load_agent  # noqa: PLC0415
    from turnkit.server import serve as run  # noqa: PLC0415

    application = create_app(load_agent(agent), settings)
    _check(settings)
    console.print(
        f"Open [bold]http://{_shown(settings.host)}:{settings.port}[/] and talk to {agent}."
    )
    run(application, settings)


@app.command()
def listen(*, host: Host = None, port: Port = None, sets: Sets = None) -> None:
    """Serve the embedded engine alone, as a Flux-compatible WebSocket at /v2/listen."""
    settings = _settings(sets, host=host, port=port)

    from turnkit.listen import create_listen_app  # noqa: PLC0415
    from turnkit.server import serve as run  # noqa: PLC0415

    address = f"ws://{_shown(settings.host)}:{settings.port}/v2/listen"
    console.print(f"Point a Flux client at [bold]{address}[/]")
    run(create_listen_app(settings), settings)


@app.command()
def call(
    audio: Annotated[
        Path | None,
        typer.Argument(help="A recording of the caller: WAV, FLAC, Ogg or MP3."),
    ] = None,
    *,
    say: Annotated[
        str | None,
        typer.Option(
            help="Speak this instead. [0.7] is a pause, [reply] waits for the agent: "
            '"a table [0.7] for four [reply] tonight".'
        ),
    ] = None,
    agent: Annotated[str, typer.Option(help="Who answers; as for serve.")] = DEFAULT_AGENT,
    out: Annotated[
        Path, typer.Option(help="The stereo recording: caller left, agent right.")
    ] = Path("call.wav"),
    channel: Annotated[int, typer.Option(help="The caller's channel of the recording.")] = 0,
    fast: Annotated[bool, typer.Option(help="In virtual time, without a socket.")] = False,
    source: Source = None,
    voice: Voice = None,
    llm: Model = None,
    sets: Sets = None,
) -> None:
    """Call an agent with a recording, in real time over a real socket, and show what happens.

    Exits with 1 if the agent never answered.
    """
    settings = _settings(sets, source=source, voice=voice, llm=llm, quiet=True)
    if (audio is None) == (say is None):
        raise ConfigError("call needs a recording or --say TEXT, one of the two")

    from turnkit import caller, plug  # noqa: PLC0415
    from turnkit.audio.files import read_audio, write_stereo_wav  # noqa: PLC0415
    from turnkit.loader import load_agent  # noqa: PLC0415

    agent_class = load_agent(agent)
    _check(settings)
    parts: list[caller.Part] = []
    if audio is not None:
        parts = [read_audio(audio, caller.CALLER_HZ, channel=channel)]
    if say is not None:
        parts = anyio.run(caller.spoken, say, plug.open_voice(settings))
    if fast:
        record = caller.call_fast(agent_class, settings, parts, _show)
    else:
        record = anyio.run(_call_server, agent_class, settings, parts)
    _write(out, lambda: write_stereo_wav(out, *record.both_sides()))
    console.print(record.timeline.summary())
    console.print(f"wrote {out}, {record.ended_at:.1f} s: caller left, agent right")
    if not record.timeline.answered:
        raise typer.Exit(1)


def main() -> None:
    """Run the command line; a user's mistake is one line and exit code 2."""
    try:
        app()
    except ConfigError as exc:
        errors.print(Text(f"error: {exc}", style="red"))
        sys.exit(2)
    except TurnkitError as exc:
        errors.print(Text(f"failed: {exc}", style="red"))
        sys.exit(1)


async def _call_server(agent: Any, settings: Settings, parts: Any) -> Any:
    from turnkit.asgi import create_app  # noqa: PLC0415
    from turnkit.caller import call as play  # noqa: PLC0415
    from turnkit.server import running  # noqa: PLC0415

    async with running(create_app(agent, settings), settings) as url:
        return await play(url, parts, _show)


def _settings(sets: list[str] | None, *, quiet: bool = False, **flags: Any) -> Settings:
    for pair in sets or []:
        name, equals, value = pair.partition("=")
        if not equals:
            raise ConfigError(f"--set {pair}: write NAME=VALUE")
        flags[name] = value
    if quiet:  # the timeline is what one wants to see
        flags.setdefault("log_level", "warning")
    settings = config.load(**flags)
    log.configure(settings)
    return settings


def _check(settings: Settings) -> None:
    """Find out now, and not in the first call, whether source, voice and model can be had."""
    from turnkit import plug  # noqa: PLC0415
    from turnkit.audio.frames import AudioFormat  # noqa: PLC0415

    plug.open_source(settings, AudioFormat(16000))
    plug.open_voice(settings)
    plug.open_model(settings)


def _shown(host: str) -> str:
    return f"[{host}]" if ":" in host else host


def _show(line: Any) -> None:
    console.print(Text(str(line), style=_COLOURS.get(line.who, "")), soft_wrap=True)


def _write(out: Path, write: Any) -> None:
    try:
        write()
    except OSError as exc:
        raise ConfigError(
            f"cannot write {out}: {exc.strerror or exc}; name another with --out"
        ) from exc
