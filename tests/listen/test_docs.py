"""What docs/listen.md says is so."""

import re
from pathlib import Path

import pytest

from turnkit.listen.fault_specs import KINDS, parse_fault
from turnkit.listen.player import Player
from turnkit.listen.script import parse_script
from turnkit.listen.scripted import Scripted
from turnkit.testing.ears import silence, told

DOCS = (Path(__file__).resolve().parents[2] / "docs/listen.md").read_text()
ROWS = re.findall(r"^\| (`.*?) \|", DOCS, re.MULTILINE)
FAULTS = [spec for row in ROWS for spec in re.findall(r"`([^`]*)`", row)]


def test_the_script_of_the_docs_is_played(parameters):
    script = parse_script(re.search(r"```toml\n(.*?)```", DOCS, re.DOTALL)[1])
    messages = Player(Scripted(script), parameters(eager_eot_threshold=0.4), "r").feed(silence(15))
    ends = [text for event, _, text in told(messages) if event == "EndOfTurn"]
    assert ends == ["I'd like a table for four.", "Make that five. Please."]
    assert [event for event, _, _ in told(messages)].count("TurnResumed") == 2


@pytest.mark.parametrize("name", KINDS)
def test_every_fault_is_in_the_docs(name):
    assert any(re.match(rf"{name}\b", spec) for spec in FAULTS) or name in ("refuse", "close")


def test_faults_can_be_written_as_the_docs_write_them():
    first = DOCS.index("| written |")
    after = DOCS.index("## Who has been tried")
    rows = re.findall(r"^\| (`.*?) \|", DOCS[first:after], re.MULTILINE)
    specs = [spec for row in rows for spec in re.findall(r"`([^`]*)`", row)]
    assert len([parse_fault(spec) for spec in specs]) > len(KINDS)
