"""The far side of a WebSocket, in memory and on virtual time."""

from collections.abc import Callable, Iterator

import anyio
import pytest
from starlette.websockets import WebSocket


class FarSide:
    """What an ASGI server would be: hands over what the client sent, keeps what it is sent."""

    def __init__(self) -> None:
        self.sent: list[str | bytes] = []
        self.closed: tuple[int, str] | None = None
        self.seconds_per_message = 0.0
        self._to_app, from_client = anyio.create_memory_object_stream[dict](4096)
        self._from_client = from_client
        self.websocket = WebSocket({"type": "websocket"}, from_client.receive, self._take)
        self._to_app.send_nowait({"type": "websocket.connect"})

    async def accept(self) -> WebSocket:
        await self.websocket.accept()
        return self.websocket

    def says(self, *messages: str | bytes) -> None:
        for message in messages:
            kind = "text" if isinstance(message, str) else "bytes"
            self._to_app.send_nowait({"type": "websocket.receive", kind: message})

    def close(self) -> None:
        self._to_app.close()
        self._from_client.close()

    def leaves(self, code: int = 1001) -> None:
        self._to_app.send_nowait({"type": "websocket.disconnect", "code": code})

    async def _take(self, message: dict) -> None:
        match message:
            case {"type": "websocket.send", **data}:
                await anyio.sleep(self.seconds_per_message)
                self.sent.append(data.get("text", data.get("bytes")))
            case {"type": "websocket.close", "code": code, "reason": reason}:
                self.closed = code, reason


@pytest.fixture
def far_side() -> Iterator[FarSide]:
    side = FarSide()
    yield side
    side.close()


@pytest.fixture
def running() -> Callable:
    """Run a transport's writer until nothing more happens at this instant."""

    async def run(transport: object) -> None:
        with anyio.move_on_after(0.001):
            await transport.run()

    return run
