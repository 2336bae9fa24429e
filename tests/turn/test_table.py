"""The table in the README is the machine's behaviour."""

from pathlib import Path

from turnkit.turn.table import table

README = Path(__file__).resolve().parents[2] / "README.md"


def test_the_readme_shows_what_the_machine_does():
    assert table() in README.read_text(), "run `python -m turnkit.turn.table` and paste it"
