"""LiveKit's STTv2, which reports in words of its own. Prints each event it reports, as JSON.

python livekit_stt.py BASE_URL AUDIO_FILE EAGER_THRESHOLD EOT_THRESHOLD
"""

import asyncio
import json
import sys
from pathlib import Path

import aiohttp
from livekit import rtc
from livekit.plugins import deepgram


async def main(base_url: str, audio: bytes, eager: float, eot: float) -> None:
    """Send the audio as frames, and print what comes."""
    async with aiohttp.ClientSession() as session:
        stt = deepgram.STTv2(
            model="flux-general-en",
            sample_rate=16000,
            eager_eot_threshold=eager,
            eot_threshold=eot,
            api_key="any",
            base_url=f"{base_url}/v2/listen",
            http_session=session,
        )
        stream = stt.stream()

        async def send() -> None:
            for start in range(0, len(audio), 640):
                piece = audio[start : start + 640]
                stream.push_frame(rtc.AudioFrame(piece, 16000, 1, len(piece) // 2))
                await asyncio.sleep(0.02)
            stream.end_input()

        sending = asyncio.create_task(send())
        async for event in stream:
            text = event.alternatives[0].text if event.alternatives else ""
            print(json.dumps({"event": event.type.value, "text": text}), flush=True)
        await sending
        await stream.aclose()


asyncio.run(main(sys.argv[1], Path(sys.argv[2]).read_bytes(), *map(float, sys.argv[3:5])))
