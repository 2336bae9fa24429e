"""`turnkit call`: a recorded or spoken caller talks with an agent."""

from pathlib import Path
from typing import Annotated, Any

import anyio
import typer
from rich.text import Text

from turnkit.commands import options
from turnkit.config import Settings
from turnkit.errors import ConfigError

_COLOURS = {"user": "cyan", "draft": "yellow", "agent": "green", "ledger": "magenta"}


def call(
    audio: Annotated[
        Path | None,
        typer.Argument(help="A recording of the caller: WAV, FLAC, Ogg or MP3."),
    ] = None,
    *,
    say: Annotated[
        str | None,
        typer.Option(
            help=r"Speak this instead. [0.7] is a pause, \[reply] waits for the agent: "
            r'"a table [0.7] for four \[reply] tonight".'
        ),
    ] = None,
    agent: Annotated[str, typer.Option(help="Who answers; as for serve.")] = options.DEFAULT_AGENT,
    out: Annotated[
        Path, typer.Option(help="The stereo recording: caller left, agent right.")
    ] = Path("call.wav"),
    channel: Annotated[int, typer.Option(help="The caller's channel of the recording.")] = 0,
    fast: Annotated[bool, typer.Option(help="In virtual time, without a socket.")] = False,
    source: options.Source = None,
    voice: options.Voice = None,
    llm: options.Model = None,
    sets: options.Sets = None,
) -> None:
    """Call an agent with a recording, in real time over a real socket, and show what happens.

    Exits with 1 if the agent never answered.
    """
    settings = options.read_settings(sets, source=source, voice=voice, llm=llm, quiet=True)
    if (audio is None) == (say is None):
        raise ConfigError("call needs a recording or --say TEXT, one of the two")
    if not out.parent.is_dir() or out.is_dir():
        what = "it is a folder" if out.is_dir() else f"there is no folder {out.parent}"
        raise ConfigError(f"cannot write {out}: {what}; name another file with --out")

    from turnkit import caller, plug
    from turnkit.audio.files import read_audio, write_stereo_wav
    from turnkit.loader import load_agent, try_out

    agent_class = load_agent(agent)
    try_out(agent_class, agent)
    plug.check(settings)
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
    options.console.print(record.timeline.summary())
    options.console.print(f"wrote {out}, {record.ended_at:.1f} s: caller left, agent right")
    if not record.timeline.answered:
        raise typer.Exit(1)


async def _call_server(agent: Any, settings: Settings, parts: Any) -> Any:
    from turnkit.asgi import create_app
    from turnkit.caller import call as play
    from turnkit.server import running

    async with running(create_app(agent, settings), settings) as url:
        return await play(url, parts, _show)


def _show(line: Any) -> None:
    options.console.print(Text(str(line), style=_COLOURS.get(line.who, "")), soft_wrap=True)


def _write(out: Path, write: Any) -> None:
    try:
        write()
    except OSError as exc:
        raise ConfigError(
            f"cannot write {out}: {exc.strerror or exc}; name another with --out"
        ) from exc
