"""The process of the providers: a Flux, a model and a voice with set delays, on loopback.

    python -m benchmarks.load.providers

It says where they are, as a JSON line, and takes orders: `plan` (a Plan: for connections from now
on) and `collect` (a path: where to write what happened, as msgpack).
"""

import asyncio
from pathlib import Path
from shutil import rmtree

import msgspec
from picows import WSListener, WSUpgradeRequest, ws_create_server

from benchmarks.load.fake_flux import FluxConnection
from benchmarks.load.fake_model import ModelConnection
from benchmarks.load.fake_model_http2 import Http2Connection, identity
from benchmarks.load.fake_voice import VoiceConnection
from benchmarks.load.journal import Journal
from benchmarks.load.plan import Plan
from benchmarks.load.worker import Handler, work


class Addresses(msgspec.Struct, frozen=True):
    """Where the providers are."""

    flux: str
    model: str
    voice: str
    model_http2: str
    """The same model over HTTP/2 and TLS."""
    authority: str
    """The file of certificates with which that one can be trusted."""


class Providers:
    """The three of them."""

    def __init__(self) -> None:
        self.journal = Journal()
        self.plan = Plan()

    async def serve(self) -> Addresses:
        """Serve on free ports; return where."""
        loop = asyncio.get_running_loop()
        sockets = await ws_create_server(self._websocket, "127.0.0.1", 0)
        http = await loop.create_server(
            lambda: ModelConnection(self.plan.pace, self.journal), "127.0.0.1", 0, backlog=1024
        )
        context, self._authority = identity()
        http2 = await loop.create_server(
            lambda: Http2Connection(self.plan.pace, self.journal),
            "127.0.0.1",
            0,
            backlog=1024,
            ssl=context,
        )
        self._servers = sockets, http, http2
        at, http_at, http2_at = (
            f"127.0.0.1:{server.sockets[0].getsockname()[1]}" for server in self._servers
        )
        return Addresses(
            flux=f"ws://{at}/v2/listen",
            model=f"http://{http_at}/v1",
            voice=f"ws://{at}/v1/speak",
            model_http2=f"https://{http2_at}/v1",
            authority=str(self._authority),
        )

    def close(self) -> None:
        """Take no more connections."""
        for server in self._servers:
            server.close()
        rmtree(self._authority.parent, ignore_errors=True)

    def _websocket(self, request: WSUpgradeRequest) -> WSListener | None:
        path = request.path.decode()
        if path.startswith("/v2/listen"):
            return FluxConnection(path, self.plan, self.journal)
        if path.startswith("/v1/speak"):
            return VoiceConnection(path, self.plan.pace, self.journal)
        return None

    async def take_plan(self, given: bytes) -> object:
        """Play this from now on."""
        self.plan = msgspec.json.decode(given, type=Plan)
        return "planned"

    async def collect(self, given: bytes) -> object:
        """Write down what happened."""
        events = self.journal.take()
        path = Path(msgspec.json.decode(given, type=str))
        await asyncio.to_thread(path.write_bytes, msgspec.msgpack.encode(events))
        return len(events)


async def _begin() -> tuple[object, dict[str, Handler]]:
    providers = Providers()
    addresses = await providers.serve()
    return addresses, {"plan": providers.take_plan, "collect": providers.collect}


if __name__ == "__main__":
    work(_begin)
