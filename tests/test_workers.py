"""Several processes behind one port: who dies with whom, who is replaced, and how all end."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from contextlib import ExitStack, contextmanager

import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import connect

from turnkit.calls import Calls
from turnkit.workers import RESTARTS, RESTARTS_S, RestartLimit

WAIT_S = 30


class Served:
    """`turnkit serve --workers 2` in a process of its own, and what it logs."""

    def __init__(self, process, port, calls):
        self.process = process
        self.pids = {}
        self._calls = calls
        self.url = f"ws://127.0.0.1:{port}/ws"

    def until(self, event, count=1, **fields):
        """Read the log until an event with these fields has come that often; return the last."""
        for line in self.process.stderr:
            entry = json.loads(line)
            if entry["event"] == event and fields.items() <= entry.items():
                count -= 1
                if not count:
                    return entry
        raise AssertionError(f"the server ended without {event} {fields}")

    def until_both(self, event):
        """Read the log until both workers have come to this event."""
        workers = set()
        while len(workers) < 2:
            workers.add(self.until(event)["worker"])

    def call(self):
        """Begin a call; return its connection and which worker has it."""
        # Nobody reads what comes; a connection whose queue is full would answer no pings either.
        connecting = connect(self.url, open_timeout=WAIT_S, max_queue=None)
        connection = self._calls.enter_context(connecting)
        return connection, self.until("call.started")["worker"]

    def calls_on_both(self):
        """Begin calls until both workers have one; return one of each."""
        calls = {}
        for _ in range(5000):  # a worker that this machine leaves waiting takes none
            connection, worker = self.call()
            if worker in calls:
                connection.close()
            else:
                calls[worker] = connection
            if len(calls) == 2:
                return calls
        raise AssertionError("one worker takes all calls")

    def signal(self):
        self.process.send_signal(signal.SIGTERM)


@contextmanager
def serve():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "turnkit", "serve", "echo", "--workers", "2", "--voice"]
    process = subprocess.Popen(
        [*command, "formant", "--port", str(port)],
        stderr=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        text=True,
    )
    with ExitStack() as calls:
        calls.callback(process.wait)
        calls.callback(process.stderr.close)
        calls.callback(process.kill)
        yield Served(process, port, calls)


@pytest.fixture
def served():
    with serve() as server:
        for _ in range(2):
            entry = server.until("worker.started")
            server.pids[entry["worker"]] = entry["pid"]
        server.until("server.ready", 2)
        yield server


def test_the_first_death_is_made_good_at_once_and_too_many_are_not():
    limit = RestartLimit()
    waits = [limit.died(float(second)) for second in range(RESTARTS + 1)]
    assert waits == [0.0, 0.5, 1.0, 2.0, 4.0, None]


def test_old_deaths_are_forgotten():
    limit = RestartLimit()
    for second in range(RESTARTS):
        limit.died(float(second))
    assert limit.died(RESTARTS_S + RESTARTS) == 0.0


@pytest.mark.anyio
async def test_the_limit_of_calls_is_one_for_all_who_share_it():
    tally = [0, 0]
    ours, theirs = Calls(2), Calls(2)
    ours.share(tally, 0)
    theirs.share(tally, 1)
    with theirs.admit("a"), ours.admit("b"):
        assert ours.refusal == theirs.refusal == "all 2 lines are busy; try again later"
    assert tally == [0, 0]
    assert ours.refusal is None


@pytest.mark.network
def test_a_worker_that_dies_ends_its_own_calls_and_is_replaced(served):
    calls = served.calls_on_both()
    os.kill(served.pids[0], signal.SIGKILL)
    died = served.until("worker.died", worker=0)
    assert (died["exitcode"], died["calls_lost"]) == (-signal.SIGKILL, 1)
    with pytest.raises(ConnectionClosed):
        read_to_the_end(calls[0])
    served.until("server.ready")
    assert served.calls_on_both().keys() == {0, 1}
    calls[1].ping().wait(WAIT_S)  # it has noticed nothing


@pytest.mark.network
def test_the_first_signal_drains_all_workers_and_the_second_ends_them(served):
    calls = served.calls_on_both()
    served.signal()
    served.until_both("server.draining")
    with pytest.raises(InvalidStatus, match="503"):
        served.call()
    calls[1].ping().wait(WAIT_S)
    served.signal()
    assert served.process.wait(WAIT_S) == 0
    for pid in served.pids.values():
        assert gone(pid)


@pytest.mark.network
def test_workers_whose_supervisor_is_killed_drain_and_end(served):
    served.process.kill()
    served.process.wait()
    assert all(gone(pid) for pid in served.pids.values())


@pytest.mark.network
def test_workers_that_cannot_live_are_given_up(tmp_path):
    # They find no agent where their supervisor has still found one.
    agent = tmp_path / "brief.py"
    agent.write_text(
        "import multiprocessing, os\n"
        "if multiprocessing.parent_process(): os._exit(7)\n"
        "from turnkit import Agent\n"
        "class Brief(Agent):\n"
        "    async def reply(self, turn): yield 'Yes.'\n"
    )
    program = (
        "import turnkit.workers, turnkit.cli, sys; turnkit.workers.RESTARTS = 1\n"
        f"sys.argv = ['turnkit', 'serve', {str(agent)!r}, '--workers', '2', '--port', '0']\n"
        "turnkit.cli.main()"
    )
    command = [sys.executable, "-c", program]
    ended = subprocess.run(command, capture_output=True, text=True, check=False, timeout=100)
    assert ended.returncode == 1
    assert "every worker has died" in ended.stderr
    deaths = [line for line in ended.stderr.splitlines() if "worker.died" in line]
    assert [json.loads(line)["exitcode"] for line in deaths] == [7, 7, 7]


def read_to_the_end(call):
    while True:
        call.recv(timeout=WAIT_S)


def gone(pid):
    """Wait for a process that is nobody's child of ours."""
    end = time.monotonic() + WAIT_S
    while time.monotonic() < end:
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return True
        time.sleep(0.05)
    return False
