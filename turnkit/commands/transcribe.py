"""`turnkit transcribe`: a recording's words, or its subtitles."""

from pathlib import Path
from typing import Annotated, Any

import anyio
import typer
from rich.console import Console

from turnkit.commands import options
from turnkit.errors import ConfigError

_FORMATS = "text, json, verbose_json, srt or vtt."


def transcribe(
    file: Annotated[
        Path, typer.Argument(help="A recording: flac, m4a, mp3, mp4, ogg, opus, wav or webm.")
    ],
    *,
    format_: Annotated[str, typer.Option("--format", help=_FORMATS)] = "text",
    model: Annotated[
        str | None, typer.Option(help="Which model; the setting aigateway_model otherwise.")
    ] = None,
    language: Annotated[
        str | None, typer.Option(help="Its language, such as en; found out otherwise.")
    ] = None,
    out: Annotated[Path | None, typer.Option(help="Write it there instead of printing it.")] = None,
    sets: options.Sets = None,
) -> None:
    """Transcribe a recording through AIgateway, as a whole.

    The key is AIGATEWAY_API_KEY; AIGATEWAY_BASE_URL names another server of the same interface.
    Prints nothing but the result, so that it can be piped.
    """
    settings = options.read_settings(sets, quiet=True, aigateway_model=model)
    if out is not None and not out.parent.is_dir():
        raise ConfigError(f"cannot write {out}: there is no folder {out.parent}")

    from turnkit import transcription

    stderr = Console(stderr=True, highlight=False)

    async def run() -> transcription.Transcription:
        with _bar(stderr) as progress:
            task = progress.add_task("sending", total=None)

            def show(sent: int, total: int) -> None:
                words = "sending" if sent < total else "transcribing"
                progress.update(task, completed=sent, total=total, description=words)

            return await transcription.transcribe(
                file,
                format=format_,  # type: ignore[arg-type]  # it is checked there
                language=language,
                settings=settings,
                progress=show,
            )

    said = anyio.run(run)
    shown = said.body if format_ != "text" else said.text
    _give(shown, out, stderr)


def _give(shown: str, out: Path | None, stderr: Console) -> None:
    """Write the result, or print it; a result that cannot be written is printed all the same."""
    if out is None:
        typer.echo(shown, nl=not shown.endswith("\n"))
        return
    try:
        out.write_text(shown if shown.endswith("\n") else f"{shown}\n", encoding="utf-8")
    except OSError as exc:
        typer.echo(shown)
        raise ConfigError(f"cannot write {out}: {exc.strerror or exc}; it was printed") from exc
    stderr.print(f"wrote {out}")


def _bar(console: Console) -> Any:
    from rich.progress import (
        BarColumn,
        DownloadColumn,
        Progress,
        SpinnerColumn,
        TextColumn,
        TimeElapsedColumn,
    )

    return Progress(
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        DownloadColumn(),
        TimeElapsedColumn(),
        console=console,
        transient=True,
        disable=not console.is_terminal,
    )
