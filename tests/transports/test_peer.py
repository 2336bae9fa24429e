"""However a connection ends, it ends once, and its first reason stays."""

import anyio
import pytest
from starlette.websockets import WebSocket

from turnkit.errors import TransportClosed
from turnkit.transports.peer import Peer, Verdict

pytestmark = pytest.mark.anyio


@pytest.fixture
async def peer(far_side):
    return Peer(await far_side.accept())


def breaking(error):
    """A connection on which every send raises this."""

    async def send(message):
        if message["type"] != "websocket.accept":
            raise error

    async def receive():
        return {"type": "websocket.connect"}

    return WebSocket({"type": "websocket"}, receive, send)


async def test_text_and_bytes_come_as_what_they_are(peer, far_side):
    far_side.says("a", b"b", "", b"")
    assert [await peer.receive() for _ in range(4)] == ["a", b"b", "", b""]


async def test_after_the_end_nothing_comes_and_nothing_goes(peer):
    peer.left(1000, "hung up")
    with pytest.raises(TransportClosed, match="hung up"):
        await peer.receive()
    with pytest.raises(TransportClosed, match="hung up"):
        await peer.send("a")


async def test_the_first_reason_stays(peer, far_side):
    peer.left(1003, "nonsense")
    peer.left(1006, "hung up")
    await peer.close(["last words"])
    assert far_side.sent == ["last words"]
    assert far_side.closed == (1003, "nonsense")


@pytest.mark.parametrize("error", [OSError("gone"), RuntimeError("closed by the server")])
async def test_whatever_breaks_while_sending_is_a_peer_that_left(error):
    peer = Peer(websocket := breaking(error))
    await websocket.accept()
    with pytest.raises(TransportClosed, match="hung up"):
        await peer.send("a")
    assert peer.verdict == Verdict(1006, "hung up")
    await peer.close([])


async def test_closing_takes_two_seconds_at_most(peer, far_side):
    far_side.seconds_per_message = 3600
    await peer.close(["last words"])
    assert anyio.current_time() == 2.0


async def test_cancelling_does_not_keep_the_close_frame_back(peer, far_side):
    with anyio.CancelScope() as scope:
        scope.cancel()
        await peer.close([])
    assert far_side.closed == (1000, "call ended")
