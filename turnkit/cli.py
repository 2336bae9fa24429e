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
from turnkit.commands.settings import settings
from turnkit.commands.transcribe import transcribe
from turnkit.errors import ConfigError, TurnkitError

app = typer.Typer(
    help="Turn-taking for voice agents.",
    no_args_is_help=True,
    add_completion=True,
    pretty_exceptions_enable=False,
)
for command in (serve, call, listen, doctor, transcribe, settings, bench):
    app.command()(command)


def main() -> None:
    """Run the command line; a user's mistake is one line and exit code 2."""
    stderr = Console(stderr=True, highlight=False)
    try:
        app()
    except (TurnkitError, ExceptionGroup) as exc:
        cause = _only(exc)
        if isinstance(cause, ConfigError):
            stderr.print(Text(f"error: {cause}", style="red"))
            sys.exit(2)
        if not isinstance(cause, TurnkitError):
            raise
        stderr.print(Text(f"failed: {cause}", style="red"))
        sys.exit(1)


def _only(exc: Exception) -> Exception:
    """Return what is in a group of one."""
    while isinstance(exc, ExceptionGroup) and len(exc.exceptions) == 1:
        exc = exc.exceptions[0]
    return exc
