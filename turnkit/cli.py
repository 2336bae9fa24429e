"""The command line: gathers the commands, and turns a user's mistake into one line."""

import sys

import typer
from rich.console import Console
from rich.text import Text

from turnkit.commands.bench import bench
from turnkit.commands.call import call
from turnkit.commands.doctor import doctor
from turnkit.commands.listen import listen
from turnkit.commands.serve import serve
from turnkit.commands.transcribe import transcribe
from turnkit.errors import ConfigError, TurnkitError

app = typer.Typer(
    help="Turn-taking for voice agents.",
    no_args_is_help=True,
    add_completion=True,
    pretty_exceptions_enable=False,
)
for command in (serve, call, listen, doctor, transcribe, bench):
    app.command()(command)


def main() -> None:
    """Run the command line; a user's mistake is one line and exit code 2."""
    stderr = Console(stderr=True, highlight=False)
    try:
        app()
    except ConfigError as exc:
        stderr.print(Text(f"error: {exc}", style="red"))
        sys.exit(2)
    except TurnkitError as exc:
        stderr.print(Text(f"failed: {exc}", style="red"))
        sys.exit(1)
