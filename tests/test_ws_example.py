"""The program in docs/ws.md works as it stands."""

import re
import subprocess
import sys
import wave
from pathlib import Path

import anyio
import pytest

from turnkit import server
from turnkit.agent import Agent
from turnkit.asgi import create_app
from turnkit.config import Settings
from turnkit.errors import TransportClosed
from turnkit.turn.commands import CloseTurn

pytestmark = [pytest.mark.anyio, pytest.mark.network]

PAGE = Path(__file__).resolve().parents[1] / "docs" / "ws.md"
TONE = bytes(range(96)) * 10  # 20 ms at 24 kHz


async def answer(agent, transport, settings, listeners):
    """Be a conversation that answers the first 200 ms of sound with 100 ms."""

    async def listen():
        heard = 0
        while heard < 3200:
            heard += (await transport.receive()).count(b"\1")
        for _ in range(5):
            transport.play(1, TONE)
        transport.finish(1)
        await anyio.sleep(0.1)
        transport.note(anyio.current_time(), CloseTurn(0, "answered"))
        with pytest.raises(TransportClosed):  # noqa: PT012
            while True:
                await transport.receive()
        tasks.cancel_scope.cancel()

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(transport.run)
        tasks.start_soon(listen)


async def test_the_example_asks_and_saves_the_answer(tmp_path):
    [program] = re.findall(r"```python\n(.*?)```", PAGE.read_text(), re.DOTALL)
    question, saved = tmp_path / "question.wav", tmp_path / "answer.wav"
    with wave.open(str(question), "wb") as out:
        out.setparams((1, 2, 16000, 0, "NONE", None))
        out.writeframes(b"\1\0" * 3200)
    settings = Settings.model_construct()
    async with server.running(create_app(Agent, settings, answer), settings) as url:
        address = url.replace("http", "ws") + "/ws"
        command = [sys.executable, "-c", program, address, str(question), str(saved)]
        with anyio.fail_after(60):
            await anyio.run_process(command, stdout=subprocess.DEVNULL, stderr=None)
    with wave.open(str(saved)) as result:
        assert result.getframerate() == 24000
        assert result.readframes(-1) == TONE * 5


def test_the_example_is_twenty_lines():
    [program] = re.findall(r"```python\n(.*?)```", PAGE.read_text(), re.DOTALL)
    assert len([line for line in program.splitlines() if line.strip()]) <= 22
