"""The command line of `python -m benchmarks.turns`."""

import sys
from collections.abc import Sequence

import structlog
import typer
from rich.console import Console
from rich.text import Text

from benchmarks.turns import commands
from benchmarks.turns.score import score
from turnkit.errors import ConfigError

app = typer.Typer(
    help="Score turn-taking on labelled speech.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
app.command()(score)
app.command()(commands.recordings)
app.command()(commands.acknowledgements)
app.command()(commands.invariants)
app.command("eot-bench")(commands.eot_bench)
app.command("cost")(commands.costs)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run a command; a user's mistake is one line on stderr, and exit status 2."""
    structlog.configure(processors=[structlog.processors.KeyValueRenderer()])
    try:
        app(arguments)
    except ConfigError as exc:
        said = Text.assemble(("error:", "red"), f" {exc}")
        Console(stderr=True).print(said, highlight=False, soft_wrap=True)
        sys.exit(2)
