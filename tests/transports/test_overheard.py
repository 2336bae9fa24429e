"""A turn source that cares hears what the user is played; any other costs nothing."""

import anyio
import pytest

from turnkit.audio.frames import AudioFormat
from turnkit.transports.overheard import overheard

pytestmark = pytest.mark.anyio


class Line:
    """A transport that keeps what it is asked."""

    def __init__(self):
        self.incoming, self.outgoing_hz, self.reports_playout = AudioFormat(8000), 24000, True
        self.asked = []

    async def receive(self):
        await anyio.lowlevel.checkpoint()
        return b"user"

    def play(self, reply, frame):
        self.asked.append(("play", reply, frame))

    def finish(self, reply):
        self.asked.append(("finish", reply))

    def clear(self, reply):
        self.asked.append(("clear", reply))

    async def run(self):
        await anyio.lowlevel.checkpoint()
        self.asked.append("run")


class Deaf:
    """A turn source that does not care."""


class Ear:
    """One that does."""

    def __init__(self):
        self.told = []

    def played(self, frame):
        self.told.append(frame)

    def silenced(self):
        self.told.append("silenced")


def test_who_does_not_care_is_not_in_the_way():
    line = Line()
    assert overheard(line, Deaf()) is line


async def test_all_is_passed_on_and_what_sounds_is_told():
    line, ear = Line(), Ear()
    transport = overheard(line, ear)
    assert (transport.incoming, transport.outgoing_hz) == (AudioFormat(8000), 24000)
    assert transport.reports_playout
    assert await transport.receive() == b"user"
    transport.play(1, b"one")
    transport.play(1, b"two")
    transport.finish(1)
    transport.clear(1)
    await transport.run()
    assert line.asked == [
        ("play", 1, b"one"),
        ("play", 1, b"two"),
        ("finish", 1),
        ("clear", 1),
        "run",
    ]
    assert ear.told == [b"one", b"two", "silenced"]
