"""`turnkit listen` as it is typed."""

import json
import signal
import socket
import subprocess
import sys

import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from turnkit.cli import main

QUERY = "?model=flux-general-en&encoding=linear16&sample_rate=16000"


@pytest.fixture
def turnkit(monkeypatch, capsys, tmp_path):
    """Run a command; return its exit code and what it printed, without its line breaks."""
    monkeypatch.chdir(tmp_path)

    def run(*arguments):
        monkeypatch.setattr(sys, "argv", ["turnkit", *arguments])
        with pytest.raises(SystemExit) as ended:
            main()
        printed = capsys.readouterr()
        return ended.value.code or 0, " ".join(printed.out.split()), " ".join(printed.err.split())

    return run


def test_all_faults_are_listed(turnkit):
    code, out, _ = turnkit("listen", "--fault", "list")
    assert code == 0
    assert "half-open" in out
    assert "refuse:STATUS[/RETRY_AFTER]" in out


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (
            ["--fault", "drip@5s"],
            "error: fault 'drip@5s': there is no 'drip'; did you mean 'drop'?",
        ),
        (["--script", "none.toml"], "error: script none.toml cannot be read: No such file"),
        (["--script", "a", "--replay", "b"], "error: listen plays either --script or --replay"),
        (["--replay", "none.json"], "error: recording none.json cannot be read: No such file"),
    ],
)
def test_a_mistake_is_explained(turnkit, words, said):
    code, out, err = turnkit("listen", *words)
    assert (code, out) == (2, "")
    assert err.startswith(said)


def received(websocket) -> list[str]:
    """Read to the end."""
    events = []
    try:
        while True:
            events.append(json.loads(websocket.recv()).get("event"))
    except ConnectionClosed:
        return events


@pytest.mark.network
def test_a_script_is_served_with_its_faults(tmp_path):
    script = tmp_path / "turns.toml"
    script.write_text("[[turn]]\nsay = 'yes please'\n[[turn]]\nsay = 'never heard'\n")
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "turnkit", "listen", "--port", str(port)]
    command += ["--script", str(script), "--fault", "1011@EndOfTurn#2"]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as server:
        while "server.ready" not in server.stderr.readline():
            assert server.poll() is None
        with connect(f"ws://127.0.0.1:{port}/v2/listen{QUERY}") as websocket:
            websocket.send(bytes(10 * 32000))
            assert received(websocket).count("EndOfTurn") == 1
            assert websocket.close_code == 1011
        server.send_signal(signal.SIGTERM)
        server.stderr.read()
        assert server.wait(30) == 0
