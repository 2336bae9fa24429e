"""`turnkit doctor`: what is wrong with an endpoint or a self-hosted Deepgram, and what to do."""

from pathlib import Path
from typing import Annotated, Any

import anyio
import typer
from rich.text import Text

from turnkit.commands import options
from turnkit.config import Settings
from turnkit.errors import ConfigError

_MARKS = {"good": ("✓", "green"), "doubtful": ("!", "yellow"), "bad": ("✗", "red")}
_NOT_FLUX = ("local", "replay", "aigateway")


def doctor(
    files: Annotated[
        list[Path] | None,
        typer.Argument(help="engine.toml, api.toml and logs of a self-hosted Deepgram."),
    ] = None,
    *,
    source: options.Source = None,
    sets: options.Sets = None,
) -> None:
    """Find out why a source does not work: step by step, or from a self-hosted one's files.

    Without files, the source of the settings is tried: name, TCP, TLS, handshake, Connected, a
    second of audio. Exits with 1 if something is wrong.
    """
    settings = options.read_settings(sets, source=source, quiet=True)
    findings: list[Any] = []
    if files:
        from turnkit.doctor.files import read_files

        for finding in read_files(files, settings.model):
            _show(finding)
            findings.append(finding)
    if source is not None or not files:
        findings += _try(settings)
    wrong = sum(finding.grade == "bad" for finding in findings)
    words = f"{wrong} thing{'s' * (wrong > 1)} to mend" if wrong else "nothing is wrong"
    options.console.print(Text(words, style="bold red" if wrong else "bold green"))
    if wrong:
        raise typer.Exit(1)


def _try(settings: Settings) -> list[Any]:
    """Walk the way to the source, showing each step as it is done."""
    name = settings.source.partition(":")[0]
    if name in _NOT_FLUX:
        raise ConfigError(
            f"source {name} is no Flux server that could be tried; name one with --source, such as "
            "--source deepgram or --source ws://HOST:8080/v2/listen"
        )
    from turnkit.doctor.endpoint import examine

    found: list[Any] = []

    def tell(finding: Any) -> None:
        _show(finding)
        found.append(finding)

    anyio.run(examine, settings.source, settings, tell)
    return found


def _show(finding: Any) -> None:
    mark, colour = _MARKS[finding.grade]
    line = Text(f"{mark} ", style=colour)
    line.append(f"{finding.where}: " if finding.where else "", style="bold")
    line.append(finding.what, style="")
    if finding.took_s is not None:
        line.append(f"  {finding.took_s * 1000:.0f} ms", style="dim")
    options.console.print(line, soft_wrap=True)
    if finding.advice:
        options.console.print(Text(f"    {finding.advice}"), soft_wrap=True)
