"""The table in docs/behaviour.md is the machine's behaviour."""

from pathlib import Path

from turnkit.turn.table import table

COPY = Path(__file__).resolve().parents[2] / "docs" / "behaviour.md"


def test_the_readme_shows_what_the_machine_does():
    assert table() in COPY.read_text(), "run `python -m turnkit.turn.table` and paste it"
