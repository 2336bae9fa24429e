"""Recognizers in processes of their own: what they hear, how they end, who notices.

The recognizer there is the odd one of `standins/odd_ears.py`.
"""

import gc
import os
import signal
import subprocess
import sys
import threading
import time
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest

from turnkit import plug
from turnkit.config import Settings
from turnkit.errors import ConfigError
from turnkit.recognizers import link, pool, remote
from turnkit.recognizers.link import Link
from turnkit.recognizers.pool import Recognizers, recognizers_of

pytestmark = [pytest.mark.network, pytest.mark.usefixtures("standins")]

PATIENCE_S = 30.0
STANDINS = Path(__file__).parent / "standins"


def model(argument=""):
    from odd_ears import create  # noqa: PLC0415  # on the path while the stand-ins are

    return create(argument, None)


def frame(value=0, samples=1280):
    return np.full(samples, value, np.int16)


def eventually(check):
    """Wait until it is so."""
    until = time.monotonic() + PATIENCE_S
    while not check():
        assert time.monotonic() < until
        time.sleep(0.01)


def finished(recognizer):
    """Ask until there is an answer, as the engine does from frame to frame."""
    until = time.monotonic() + PATIENCE_S
    while (words := recognizer.finish()) is None:
        assert time.monotonic() < until
    return " ".join(word.word for word in words)


@pytest.fixture
def logged(monkeypatch):
    said = []
    for module in (pool, remote):
        for level in ("warning", "error"):
            monkeypatch.setattr(module.log, level, lambda event, **about: said.append(event))
    return said


@pytest.fixture(scope="module")
def shared_pool():
    """One process for all tests that leave it as they find it."""
    sys.path.insert(0, str(STANDINS))
    opened = Recognizers(model(), 1)
    opened.start()
    sys.path.remove(str(STANDINS))
    yield opened
    opened.close()


@pytest.fixture
def recognizers(shared_pool):
    """A process that is there, whatever the test before did to it."""
    eventually(lambda: shared_pool.pids)
    return shared_pool


def ready(recognizers, keyterms=()):
    """Open a recognizer when the process is there, however slow this machine is."""
    recognizers.start()
    eventually(lambda: recognizers.link() is not None and recognizers.link().ready)
    return recognizers.open(keyterms)


def test_words_come_back_while_they_are_spoken(recognizers):
    ear = ready(recognizers)
    ear.feed(frame())
    ear.feed(frame())
    eventually(lambda: len(ear.words) == 2)
    assert ear.trusted
    assert finished(ear) == "word word"
    assert ear.words == ()
    assert finished(ear) == ""


def test_each_stream_has_its_own_words_and_its_own_keyterms(recognizers):
    one, other = ready(recognizers, ("one",)), ready(recognizers, ("other",))
    for ear in (one, other, one):
        ear.feed(frame())
    assert (finished(one), finished(other)) == ("one one", "other")
    for term in ("a", "b", "c"):
        one.bias((term,))
    one.feed(frame())
    assert finished(one) in {"a", "b", "c"}  # the rest waits until the first has arrived
    one.feed(frame())
    assert finished(one) == "c"


def test_a_dropped_stretch_leaves_nothing_behind(recognizers):
    ear = ready(recognizers)
    ear.feed(frame())
    ear.drop()
    ear.feed(frame())
    assert finished(ear) == "word"


def test_a_stream_that_is_closed_or_forgotten_is_given_up(recognizers):
    one, other = ready(recognizers), ready(recognizers)
    gc.collect()
    assert recognizers.load.streams == 2
    one.close()
    del other
    gc.collect()
    assert recognizers.load.streams == 0
    assert recognizers.load.memory_mb > 10


@contextmanager
def busy(recognizers):
    """Have the process do nothing meanwhile."""
    (pid,) = recognizers.pids
    os.kill(pid, signal.SIGSTOP)
    os.waitid(os.P_PID, pid, os.WSTOPPED)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGCONT)


def test_who_falls_behind_loses_the_rest_of_a_stretch_and_nothing_else(recognizers, logged):
    ear, before_s = ready(recognizers), recognizers.load.skipped_s
    ear.feed(frame())
    assert finished(ear) == "word"
    with busy(recognizers):
        for _ in range(40):  # 3.2 s of it
            ear.feed(frame())
    assert recognizers.load.skipped_s - before_s == pytest.approx(1.2)
    assert finished(ear) == " ".join(["word"] * 25)
    ear.feed(frame())
    assert finished(ear) == "word"
    assert logged == ["recognizer.behind"]


def test_finishing_is_not_waited_for_longer_than_it_may_take(recognizers):
    ear = ready(recognizers)
    with busy(recognizers):
        ear.feed(frame())
        assert ear.finish() is None
    assert finished(ear) == "word"


def test_an_error_in_a_recognizer_costs_its_stream_the_stretch(recognizers, logged):
    ear, other = ready(recognizers), ready(recognizers)
    ear.feed(frame(1))
    assert finished(ear) == "[speech]"
    ear.feed(frame())
    assert finished(ear) == "word"
    other.feed(frame())
    assert finished(other) == "word"
    assert logged == ["recognizer.lost"]


def test_a_process_that_dies_is_replaced_and_its_calls_go_on(recognizers, logged):
    ear, (pid,) = ready(recognizers), recognizers.pids
    lost = recognizers.load.lost
    ear.feed(frame())
    eventually(lambda: len(ear.words) == 1)
    ear.feed(frame(2))  # dies
    assert finished(ear) == "word"  # as far as it was heard
    eventually(lambda: recognizers.link() is not None and recognizers.link().ready)
    assert recognizers.pids != (pid,)
    ear.feed(frame())
    assert finished(ear) == "word"
    assert sorted(logged) == ["recognizer.died", "recognizer.lost"]
    assert recognizers.load.lost == lost + 1


def test_a_process_that_dies_again_and_again_is_not_replaced_for_ever(monkeypatch, logged):
    monkeypatch.setattr(pool, "RESTARTS", 0)
    recognizers = Recognizers(model(), 1)
    ear = ready(recognizers)
    os.kill(recognizers.pids[0], signal.SIGKILL)
    eventually(lambda: "recognizer.died" in logged)
    assert recognizers.pids == ()
    ear.feed(frame())
    assert finished(ear) == "[speech]"
    recognizers.close()


def test_a_model_that_cannot_be_loaded_is_said_once_and_leaves_turns(logged):
    recognizers = Recognizers(model(argument="broken"), 2)
    ear = recognizers.open()
    eventually(lambda: not recognizers.pids)
    ear.feed(frame())
    assert finished(ear) == "[speech]"
    assert logged.count("recognizer.failed") == 2  # one for each process
    recognizers.close()


def test_a_process_that_hangs_is_ended(recognizers, monkeypatch, logged):
    monkeypatch.setattr(remote, "HANG_S", 0.0)
    ear, (pid,) = ready(recognizers), recognizers.pids
    os.kill(pid, signal.SIGSTOP)
    for _ in range(60):
        ear.feed(frame())
    eventually(lambda: recognizers.pids not in ((pid,), ()))
    assert finished(ear) in {"[speech]", ""}


def test_a_process_that_had_nothing_to_say_for_long_does_not_hang(recognizers, monkeypatch, logged):
    monkeypatch.setattr(remote, "HANG_S", 600.0)
    monkeypatch.setattr(Link, "silent_s", 601.0)
    ear, pids = ready(recognizers), recognizers.pids
    with busy(recognizers):
        for _ in range(40):
            ear.feed(frame())
    assert finished(ear) == " ".join(["word"] * 25)
    assert (recognizers.pids, logged) == (pids, ["recognizer.behind"])


def test_closing_ends_every_process_and_thread(logged):
    before = set(threading.enumerate())
    recognizers = Recognizers(model(), 2)
    ear, pids = ready(recognizers), recognizers.pids
    assert len(pids) == 2
    recognizers.close()
    assert recognizers.pids == ()
    assert set(threading.enumerate()) <= before
    assert all(not Path(f"/proc/{pid}").exists() for pid in pids)
    ear.feed(frame())
    assert finished(ear) == "[speech]"
    recognizers.close()
    assert logged == []


def test_closing_does_not_wait_for_a_process_that_does_not_listen(monkeypatch):
    monkeypatch.setattr(link, "_EXIT_S", 0.05)
    recognizers = Recognizers(model(), 1)
    ready(recognizers)
    os.kill(recognizers.pids[0], signal.SIGSTOP)
    recognizers.close()
    assert recognizers.pids == ()


PARENT = """
import sys, time
from odd_ears import create
from turnkit.recognizers.pool import Recognizers
recognizers = Recognizers(create("", None), 1)
recognizers.start()
for link in recognizers._links:
    link.wait_ready(30)
print(len(recognizers.pids), flush=True)
time.sleep(60)
"""


def test_no_process_outlives_its_parent_however_that_ends():
    ways = (signal.SIGKILL, signal.SIGTERM, signal.SIGINT)  # the last is Ctrl-C, for all of them
    paths = os.pathsep.join(sys.path)
    parents = [
        subprocess.Popen(
            [sys.executable, "-c", PARENT],
            env={**os.environ, "PYTHONPATH": paths},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )
        for _ in ways
    ]
    for parent, way in zip(parents, ways, strict=True):
        assert parent.stdout.readline() == b"1\n"
        os.killpg(parent.pid, way)
        # They have their parent's errors for theirs: the pipe ends when the last of them has.
        _, errors = parent.communicate(timeout=PATIENCE_S)
        assert errors.count(b"KeyboardInterrupt") <= (way == signal.SIGINT)


def test_the_settings_say_how_many_there_are(monkeypatch):
    def workers(**said):
        settings = Settings.model_construct(**said)
        return recognizers_of(model(), settings)._wanted

    monkeypatch.setattr(os, "cpu_count", lambda: 8)
    assert (workers(), workers(workers=2), workers(workers=8)) == (4, 2, 1)
    assert (workers(recognizer_workers=0), workers(recognizer_workers=7)) == (0, 7)
    light = plug.open_speech_model(Settings.model_construct(recognizer="none"))
    assert recognizers_of(light, Settings.model_construct())._wanted == 0


def test_a_model_that_cannot_be_sent_there_is_the_users_mistake():
    class Local:
        trusted = apart = True

    with pytest.raises(ConfigError, match="recognizer Local cannot be sent to a process"):
        Recognizers(Local(), 1).start()


def test_where_no_process_can_be_had_calls_go_on_without_words(monkeypatch, logged):
    monkeypatch.setattr(sys, "executable", "/nowhere/python")
    recognizers = Recognizers(model(), 1)
    ear = recognizers.open()
    ear.feed(frame())
    assert finished(ear) == "[speech]"
    assert logged == ["recognizer.not_started"]
    recognizers.close()


def test_without_processes_it_is_heard_here():
    recognizers = Recognizers(model(), 0)
    ear = recognizers.open(("here",))
    ear.feed(frame())
    assert finished(ear) == "here"
    assert recognizers.load.workers == 0
    recognizers.close()
