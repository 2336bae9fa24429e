"""Which recordings a command works on, and where they are looked for."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Final

import typer

from benchmarks.turns.manifest import Recording, load_pack
from turnkit.errors import ConfigError

SHARED: Final = Path(
    os.environ.get("SHARED_FOLDER", Path(__file__).resolve().parents[3] / "shared")
)
"""Where labelled speech and recorded sessions are looked for: beside the checkout."""

AUDIO: Final = SHARED / "audio"

Packs = Annotated[
    list[Path] | None, typer.Argument(help="Folders with a manifest.json.", metavar="[PACK]...")
]
Kinds = Annotated[list[str] | None, typer.Option("--kind", help="Only clips of this kind.")]
Only = Annotated[list[str] | None, typer.Option("--only", help="Only this recording, by its id.")]
RecognizerName = Annotated[
    str,
    typer.Option("--recognizer", help="Who hears words for the embedded engine; none: nobody."),
]


def chosen(
    packs: Sequence[Path] | None, kinds: Sequence[str] | None, only: Sequence[str] | None
) -> list[Recording]:
    """Return the recordings asked for. Raises ConfigError."""
    recordings = [recording for pack in packs or [AUDIO] for recording in load_pack(pack)]
    _check("kind", kinds, sorted({recording.kind for recording in recordings}))
    _check("recording", only, [recording.id for recording in recordings])
    return [
        recording
        for recording in recordings
        if (not kinds or recording.kind in kinds) and (not only or recording.id in only)
    ]


def _check(what: str, asked: Sequence[str] | None, known: Sequence[str]) -> None:
    strange = sorted(set(asked or ()) - set(known))
    if strange:
        raise ConfigError(f"there is no {what} {strange[0]!r}; choose from {', '.join(known)}")
