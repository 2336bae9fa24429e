"""What turnkit itself adds before the first sound: real sockets, real time, loopback.

    python -m benchmarks.first_sound [--turns 100]

A scripted Flux sends turns over `/v2/listen`; the agent's first clause takes 150 ms and a word more
each 10 ms, the voice 80 ms; a client on `/ws` waits for the first audio. The overhead is how much
later that comes than max(EndOfTurn, eager end + model + voice), all by one clock.
"""

import argparse
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager, suppress
from statistics import median, quantiles

import anyio
from rich.console import Console
from rich.progress import track
from rich.table import Table
from websockets.asyncio.client import ClientConnection, connect
from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed

from turnkit import Agent, Settings, Turn, log
from turnkit.asgi import create_app
from turnkit.server import running
from turnkit.sources.flux_wire import Connected, TurnInfo, encode
from turnkit.testing import ExactVoice

MODEL_S, TOKEN_S, VOICE_S = 0.15, 0.01, 0.08
CASES = {"eager, end 200 ms later": 0.2, "eager, end 400 ms later": 0.4, "no eager end": 0.0}
PAUSE_S = 1.4  # between turns; the answer lasts a second and a quarter


class Model(Agent):
    """Says a clause after `MODEL_S`, and a few words more."""

    async def reply(self, turn: Turn) -> AsyncGenerator[str, None]:  # noqa: ARG002
        """Stream them."""
        await anyio.sleep(MODEL_S)
        for word in ("Yes, of course, ", "that ", "is ", "done."):
            yield word
            await anyio.sleep(TOKEN_S)


def create(argument: str | None, settings: Settings) -> ExactVoice:  # noqa: ARG001
    """Be a voice: `--voice benchmarks.first_sound`."""
    return ExactVoice(VOICE_S, sample_rate_hz=24000)  # what the client plays


class Flux:
    """Plays turns to whoever listens, and remembers when."""

    def __init__(self) -> None:
        self.connected = anyio.Event()
        self._sequence = 0
        self._turn = 0
        self._speaking = False
        self._socket: ServerConnection

    @asynccontextmanager
    async def serving(self) -> AsyncIterator[str]:
        """Serve on a free port; yields the address."""
        async with serve(self._handle, "127.0.0.1", 0, compression=None) as server:
            yield f"ws://127.0.0.1:{server.sockets[0].getsockname()[1]}/v2/listen"

    async def _handle(self, socket: ServerConnection) -> None:
        self._socket = socket
        await socket.send(encode(Connected(request_id="bench", sequence_id=0)))
        self.connected.set()
        with suppress(ConnectionClosed):
            chunks = 0
            async for _ in socket:  # as Flux does, say something for every 0.24 s of audio
                chunks += 1
                if chunks % 3 == 0 and not self._speaking:
                    await self._send("Update", "")

    async def turn(self, eager_s: float) -> float:
        """Play one turn; return the earliest instant at which the answer could sound."""
        words = f"turn {self._turn}"
        self._speaking = True
        await self._send("StartOfTurn", words)
        await anyio.sleep(0.1)
        if not eager_s:
            await self._send("EndOfTurn", words)
            ideal = anyio.current_time() + MODEL_S + VOICE_S
        else:
            await self._send("EagerEndOfTurn", words)
            prepared = anyio.current_time() + MODEL_S + VOICE_S
            await anyio.sleep(eager_s)
            await self._send("EndOfTurn", words)
            ideal = max(anyio.current_time(), prepared)
        self._turn += 1
        self._speaking = False
        return ideal

    async def _send(self, event: str, words: str) -> None:
        self._sequence += 1
        info = TurnInfo(
            request_id="bench",
            sequence_id=self._sequence,
            event=event,
            turn_index=self._turn,
            audio_window_start=0.0,
            audio_window_end=self._sequence * 0.08,
            transcript=words,
            words=[],
            end_of_turn_confidence=0.5,
        )
        await self._socket.send(encode(info))


async def measure(eager_s: float, turns: int) -> list[float]:
    """Return the overhead of each turn, in milliseconds."""
    flux = Flux()
    overheads = []
    async with flux.serving() as source:
        settings = Settings.model_construct(
            source=source, voice="benchmarks.first_sound", drafts_per_minute=1000
        )
        async with running(create_app(Model, settings), settings) as url:
            address = f"{url.replace('http', 'ws', 1)}/ws"
            async with connect(address, proxy=None, compression=None) as client:
                await flux.connected.wait()
                for _ in track(range(turns), f"eager {eager_s * 1000:.0f} ms", transient=True):
                    with anyio.fail_after(10):
                        sounded, ideal = await _answered(client, flux, eager_s)
                    overheads.append((sounded - ideal) * 1000)
    return overheads[2:]  # the first two warm up


async def _answered(client: ClientConnection, flux: Flux, eager_s: float) -> tuple[float, float]:
    """Play a turn, and listen through its answer."""
    heard: list[float] = []
    ideal = 0.0
    answering = False

    async def play() -> None:
        nonlocal ideal
        ideal = await flux.turn(eager_s)
        await anyio.sleep(PAUSE_S)
        tasks.cancel_scope.cancel()

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(play)
        async for message in client:
            if isinstance(message, bytes) and answering:
                heard.append(anyio.current_time())
            elif isinstance(message, str) and '"type":"audio"' in message:
                answering = True  # what comes from here on is this turn's
    return heard[0], ideal


def main() -> None:
    """Measure the three cases and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--turns", type=int, default=100)
    options = parser.parse_args()
    log.configure(Settings.model_construct(log_level="error"))
    table = Table("case", "p50 ms", "p90 ms", "p99 ms", "max ms")
    for case, eager_s in CASES.items():
        overheads = anyio.run(measure, eager_s, options.turns + 2)
        cuts = quantiles(overheads, n=100)
        figures = (median(overheads), cuts[89], cuts[98], max(overheads))
        table.add_row(case, *(f"{figure:.2f}" for figure in figures))
    Console().print(table)


if __name__ == "__main__":
    main()
