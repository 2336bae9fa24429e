"""Deepgram's SDK for Python. Prints each event it reports, as JSON.

python deepgram_sdk.py BASE_URL AUDIO_FILE EAGER_THRESHOLD EOT_THRESHOLD
"""

import asyncio
import json
import sys
from pathlib import Path

from deepgram import AsyncDeepgramClient
from deepgram.environment import DeepgramClientEnvironment


async def main(base_url: str, audio: bytes, eager: float, eot: float) -> None:
    """Send the audio, and print what comes."""
    there = DeepgramClientEnvironment(base="", production=base_url, agent="", agent_rest="")
    client = AsyncDeepgramClient(api_key="any", environment=there)
    asked = {"model": "flux-general-en", "encoding": "linear16", "sample_rate": 16000}
    thresholds = {"eager_eot_threshold": eager, "eot_threshold": eot}
    async with client.listen.v2.connect(**asked, **thresholds) as connection:

        async def send() -> None:
            for start in range(0, len(audio), 2560):
                await connection.send_media(audio[start : start + 2560])
                await asyncio.sleep(0.08)
            await connection.send_close_stream()

        sending = asyncio.create_task(send())
        async for message in connection:
            event = getattr(message, "event", None) or message.type
            said = {"event": event, "text": getattr(message, "transcript", "")}
            print(json.dumps(said), flush=True)
        await sending


asyncio.run(main(sys.argv[1], Path(sys.argv[2]).read_bytes(), *map(float, sys.argv[3:5])))
