"""The command line: what it does, and what it says when it cannot."""

import sys
import wave
from pathlib import Path

import pytest

from turnkit.cli import main
from turnkit.server import bind

FLUX = """
{"events": [
 {"timestamp": 0, "event_type": "Connected", "data":
  {"type": "Connected", "request_id": "r", "sequence_id": 0}},
 {"timestamp": 1, "event_type": "TurnInfo", "data":
  {"type": "TurnInfo", "request_id": "r", "event": "StartOfTurn", "turn_index": 0,
   "audio_window_start": 0.0, "audio_window_end": 0.48, "transcript": "Hi", "words": [],
   "end_of_turn_confidence": 0.1, "sequence_id": 1}},
 {"timestamp": 1, "event_type": "TurnInfo", "data":
  {"type": "TurnInfo", "request_id": "r", "event": "EndOfTurn", "turn_index": 0,
   "audio_window_start": 0.0, "audio_window_end": 1.2, "transcript": "Hi.", "words": [],
   "end_of_turn_confidence": 0.8, "sequence_id": 2}}]}
"""


@pytest.fixture(autouse=True)
def elsewhere(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def turnkit(monkeypatch, capsys):
    """Run a command; return its exit code and what it printed."""

    def run(*arguments):
        monkeypatch.setattr(sys, "argv", ["turnkit", *arguments])
        with pytest.raises(SystemExit) as ended:
            main()
        printed = capsys.readouterr()
        return ended.value.code or 0, printed.out, printed.err

    return run


@pytest.fixture
def recording(elsewhere):
    """A second of silence, and what Flux is to make of it."""
    (elsewhere / "flux.json").write_text(FLUX)
    with wave.open(str(elsewhere / "caller.wav"), "wb") as writer:
        writer.setnchannels(1)
        writer.setsampwidth(2)
        writer.setframerate(8000)
        writer.writeframes(bytes(16000))
    return ["caller.wav", "--source", "replay:flux.json", "--voice", "formant", "--agent", "echo"]


def test_a_call_shows_what_happens_and_leaves_a_stereo_recording(turnkit, recording):
    code, out, _ = turnkit("call", *recording, "--fast")
    assert code == 0
    assert 'EndOfTurn 0 (model)  "Hi."' in out
    assert "first sound (1), 0 ms after EndOfTurn" in out
    assert "ledger turn 0 answered" in out
    with wave.open("call.wav") as reader:
        assert reader.getnchannels() == 2
        assert reader.getnframes() / reader.getframerate() > 2.0


@pytest.mark.network
def test_a_call_over_a_real_socket_tells_the_same(turnkit, recording):
    code, out, _ = turnkit("call", *recording, "--out", "there.wav")
    assert code == 0
    assert "ledger turn 0 answered" in out
    assert Path("there.wav").stat().st_size > 100_000


def test_a_call_that_nobody_answers_fails(turnkit, recording):
    Path("mute.py").write_text(
        "from turnkit import Agent\n"
        "class Mute(Agent):\n"
        "    async def reply(self, turn):\n"
        "        return\n"
        "        yield\n"
    )
    code, out, _ = turnkit("call", *recording[:-1], "mute.py", "--fast")
    assert code == 1
    assert "no answer was heard" in out
    assert "ledger turn 0 declined" in out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["call"], "call needs a recording or --say TEXT"),
        (["call", "missing.wav"], "missing.wav cannot be read"),
        (["call", "--say", "hello [soon]"], "[soon] is no pause"),
        (["call", "--say", "[0.7] "], "has no words"),
        (["call", "--say", "a table [0.7"], "half a bracket"),
        (["call", "--say", "hi", "--out", "nowhere/call.wav"], "there is no folder nowhere"),
        (["call", "--say", "hi", "--out", "."], "cannot write .: it is a folder"),
        (
            ["call", "--say", "hi", "--set", "trace=/dev/null"],
            "can be written to /dev/null",
        ),
        (["call", "--say", "hi", "--source", "lokal"], "did you mean 'local'?"),
        (["serve", "--voice", "espaek"], "did you mean 'espeak'?"),
        (["serve", "missing.py"], "agent 'missing.py': there is no such file"),
        (["serve", "--set", "prot=1"], "unknown; did you mean 'port'?"),
        (["serve", "--set", "port"], "write NAME=VALUE"),
        (["serve", "--port", "99999"], "port: Input should be less than or equal to 65535"),
        (["call", "--say", "hi", "--source", "deepgram"], "DEEPGRAM_API_KEY"),
    ],
)
def test_a_users_mistake_is_one_line_and_exit_code_2(turnkit, monkeypatch, arguments, message):
    monkeypatch.delenv("DEEPGRAM_API_KEY", raising=False)
    code, _, err = turnkit(*arguments)
    assert code == 2
    assert message in " ".join(err.split())
    assert "Traceback" not in err


@pytest.mark.parametrize("host", ["999.1.1.1", "192.0.2.1", "a" * 70])
def test_a_host_that_is_not_this_machine_is_said_to_be(turnkit, host):
    code, _, err = turnkit("serve", "echo", "--voice", "formant", "--host", host)
    assert code == 2
    assert "name an address of this machine with --host" in " ".join(err.split())


@pytest.mark.network
def test_a_port_in_use_is_named_with_what_to_do(turnkit):
    taken = bind("127.0.0.1", 0)
    taken.listen()
    with taken:
        port = str(taken.getsockname()[1])
        code, _, err = turnkit("serve", "echo", "--voice", "formant", "--port", port)
    assert code == 2
    assert f"port {port}" in " ".join(err.split())
    assert "--port" in err
