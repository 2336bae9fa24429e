"""What is written to the log, and what never is."""

import io
import json
import logging

import pytest
import structlog

from turnkit import log as logging_setup
from turnkit.config import Settings
from turnkit.log import RATION, Ration, visible


class Terminal(io.StringIO):
    def isatty(self):
        return True


@pytest.fixture
def logged():
    """Set logging up as asked; return what reads the lines."""
    stream = io.StringIO()
    root = logging.getLogger()
    before = root.handlers[:], root.level

    def configure(**settings):
        logging_setup.configure(Settings.model_construct(**settings), stream)
        return lambda: [json.loads(line) for line in stream.getvalue().splitlines()]

    yield configure
    structlog.reset_defaults()
    root.handlers[:], root.level = before


def shown(**fields):
    """Return what a terminal is sent."""
    terminal = Terminal()
    renderers = logging_setup._rendering(terminal)
    event = {"event": "turn.closed", "level": "info", **fields}
    for renderer in renderers:
        event = renderer(None, "info", event)
    return event


def test_a_line_is_json_with_its_level_and_time(logged):
    lines = logged()
    structlog.get_logger().info("reply.cancelled", reply=7)
    line = lines()[0]
    assert line.pop("timestamp")
    assert line == {"event": "reply.cancelled", "level": "info", "reply": 7}


def test_what_is_below_the_level_is_not_written(logged):
    lines = logged(log_level="warning")
    structlog.get_logger().info("reply.cancelled")
    assert lines() == []


@pytest.mark.parametrize("settings", [{}, {"log_level": "debug"}, {"log_transcripts": True}])
def test_private_words_are_not_written(logged, settings):
    lines = logged(**settings)
    structlog.get_logger().info("turn.ended", pii_transcript="my number is", turn=1)
    structlog.get_logger().debug("turn.ended", pii_transcript="my number is", turn=1)
    assert "my number is" not in json.dumps(lines())
    assert lines()[0]["turn"] == 1


def test_private_words_are_written_when_asked_for_at_debug_level_only(logged):
    lines = logged(log_level="debug", log_transcripts=True)
    structlog.get_logger().info("turn.ended", pii_transcript="hello")
    structlog.get_logger().debug("turn.ended", pii_transcript="hello")
    assert ["pii_transcript" in line for line in lines()] == [False, True]


def test_what_libraries_say_is_one_line_without_their_traceback(logged):
    lines = logged()
    try:
        b"\xff".decode()
    except UnicodeDecodeError:
        logging.getLogger("uvicorn.error").exception("Invalid UTF-8 from %s", "client")
    assert lines()[0]["said"] == "Invalid UTF-8 from client"
    assert "exception" not in lines()[0]


def test_a_bug_of_ours_is_shown_whole(logged):
    lines = logged()
    try:
        _ = 1 / 0
    except ZeroDivisionError:
        logging.getLogger("uvicorn.error").exception("Exception in ASGI application\n")
    assert "ZeroDivisionError" in lines()[0]["exception"]


def test_a_terminal_cannot_be_written_on_by_what_somebody_said():
    line = shown(pii_words="a\x1b[2Jb\nc\u202ed\ud800")
    assert "\x1b[2J" not in line
    assert "\n" not in line
    assert "\u202e" not in line
    assert r"\x1b[2J" in line


def test_a_traceback_keeps_its_lines_on_a_terminal():
    line = shown(exception="Traceback\n  ValueError: \x1b[2J")
    assert "Traceback\n" in line
    assert "\x1b[2J" not in line


@pytest.mark.parametrize("text", ["plain", "héllo", "日本語", "🙂"])
def test_visible_characters_stay_as_they_are(text):
    assert visible(text) == text


def test_strangers_can_cause_only_so_many_lines_a_second():
    now = 0.0
    ration = Ration(lambda: now)
    written = 0
    for _ in range(RATION + 5):
        try:
            written += bool(ration(None, "", {"event": "call.refused"}))
        except structlog.DropEvent:
            continue
    now = 1.0
    assert written == RATION
    assert ration(None, "", {"event": "call.refused"})["dropped_before"] == 5
    assert ration(None, "", {"event": "call.refused"}) == {"event": "call.refused"}


def test_our_own_lines_are_not_rationed():
    ration = Ration(lambda: 0.0)
    event = {"event": "turn.closed"}
    assert all(ration(None, "", event) == event for _ in range(1000))
