"""The command line: what a user types, and what comes of it."""

import json

import pytest

from benchmarks.turns.cli import main
from benchmarks.turns.packs import chosen
from turnkit.errors import ConfigError

pytestmark = pytest.mark.network  # processes


def run(*arguments):
    with pytest.raises(SystemExit) as left:
        main([str(argument) for argument in arguments])
    return left.value.code


def test_a_clip_is_scored_and_everything_is_written(shared, tmp_path, capsys):
    code = run(
        *("score", shared / "audio", "--recognizer", "none", "--out", tmp_path / "out"),
        *("--only", "jfk", "--only", "esc10_rain_1-17367-A"),
    )
    said = capsys.readouterr().out
    assert code == 0
    assert "turnkit, recognizer none, eot_threshold 0.7" in said
    assert "cut-offs at 300 ms, timer" in said
    report = json.loads((tmp_path / "out" / "turnkit--recognizer-none.json").read_text())
    assert report["groups"]["all"]["turns"] == 1
    assert {file.suffix for file in (tmp_path / "out").iterdir()} == {".json", ".png"}


def test_what_stops_an_agent_is_told_and_written(shared, tmp_path, capfd):
    code = run(
        *("acknowledgements", shared / "audio", "--recognizer", "none", "--out", tmp_path / "out"),
        *("--only", "ps_cards_001", "--only", "google_brooklyn"),
    )
    said = capfd.readouterr()
    figures = json.loads((tmp_path / "out" / "acknowledgements.json").read_text())
    assert code == 0
    assert "interruptions stop it after: p50" in said.out
    assert "engine.heard" not in said.out + said.err
    assert figures["barge_in_s"] == 0.8
    assert {"answer", "interruption", "echo"} < figures["stopped"].keys()
    assert figures["stopped"]["interruption"]["value"] == 1.0


def test_rules_are_held_against_the_clips_asked_for(shared, capsys):
    code = run("invariants", shared / "audio", "--recognizer", "none", "--only", "digit_3_george_0")
    assert "0 rules broken" in capsys.readouterr().out
    assert code == 0


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (("score", "/nowhere"), "cannot be read"),
        (("score", "--eot-threshold", "0.2"), "eot_threshold 0.2 is out of range"),
        (("score", "--endpoint", "flux"), "endpoint 'flux' is no server's address"),
        (("recordings", "/nowhere"), "holds no recorded session"),
    ],
)
def test_a_mistake_is_one_line(shared, arguments, complaint, capsys):
    assert run(*arguments) == 2
    said = capsys.readouterr().err.strip()
    assert complaint in said
    assert said.startswith("error:")
    assert "\n" not in said


def test_a_name_that_is_none_is_an_error(shared):
    with pytest.raises(ConfigError, match="there is no recording 'jfx'; choose from"):
        chosen([shared / "audio"], None, ["jfx"])
    with pytest.raises(ConfigError, match="there is no kind 'songs'; choose from dialogue"):
        chosen([shared / "audio"], ["songs"], None)
