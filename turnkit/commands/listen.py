"""`turnkit listen`: a Flux-compatible server for any client, with faults if they are wanted."""

from pathlib import Path
from typing import Annotated, Any

import typer

from turnkit.commands import options
from turnkit.errors import ConfigError

LIST = "list"


def listen(
    *,
    script: Annotated[
        Path | None,
        typer.Option(help="Answer with the turns of this script, on the clock of what comes."),
    ] = None,
    replay: Annotated[
        Path | None,
        typer.Option(help="Answer with a recording: a log of Flux's messages, or a trace."),
    ] = None,
    faults: Annotated[
        list[str] | None,
        typer.Option(
            "--fault",
            metavar="SPEC",
            help="What goes wrong, such as drop@5s, stall:2s@message=7, 1011:p=0.01; "
            "may be repeated. `--fault list` shows all.",
        ),
    ] = None,
    seed: Annotated[int, typer.Option(help="For what faults leave to chance.")] = 0,
    host: options.Host = None,
    port: options.Port = None,
    sets: options.Sets = None,
) -> None:
    """Serve Flux's /v2/listen: by the embedded engine, a script or a recording."""
    from turnkit.listen import Plan, create_listen_app
    from turnkit.listen.fault_specs import parse_fault

    if faults and LIST in faults:
        options.console.print(_all_faults())
        return
    settings = options.read_settings(sets, host=host, port=port)
    plan = Plan(
        open_service=_service(script, replay),
        faults=tuple(parse_fault(spec) for spec in faults or []),
        seed=seed,
    )

    from turnkit.server import serve as run

    if settings.port:  # of a free port, the log says which it is
        address = f"ws://{options.shown(settings.host)}:{settings.port}/v2/listen"
        options.console.print(f"Point a Flux client at [bold]{address}[/]")
    if plan.faults:
        options.console.print(f"Faults: {', '.join(faults or [])}; seed {seed}", markup=False)
    run(create_listen_app(settings, plan), settings)


def _service(script: Path | None, replay: Path | None) -> Any:
    from turnkit.listen.players import playing, replaying

    if script is not None and replay is not None:
        raise ConfigError("listen plays either --script or --replay, not both")
    if script is not None:
        return playing(script)
    if replay is not None:
        return replaying(replay)

    from turnkit.engine.engine import open_engine

    return open_engine


def _all_faults() -> Any:
    from rich.table import Table
    from rich.text import Text

    from turnkit.listen.fault_specs import KINDS

    table = Table("fault", "what happens", box=None, pad_edge=False)
    for name, kind in KINDS.items():
        shown = f"{name}:{kind.argument}" if kind.argument else name
        table.add_row(Text(shown), kind.sentence)
    table.add_row("")
    table.add_row("...@5s", "From the first message on that tells of 5 s of audio, once.")
    table.add_row("...@EndOfTurn#2", "At the second EndOfTurn; without #2, at each.")
    table.add_row("...@message=7", "At message 7; Connected is message 0.")
    table.add_row("...@connection=0", "On the first connection only; refused ones count too.")
    table.add_row("...@p=0.01", "With this probability, each time.")
    return table
