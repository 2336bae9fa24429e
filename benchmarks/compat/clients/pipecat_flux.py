"""Pipecat's service for Flux, with eager ends on. Prints each event it reports, as JSON.

python pipecat_flux.py BASE_URL AUDIO_FILE EAGER_THRESHOLD EOT_THRESHOLD
"""

import asyncio
import json
import sys
from pathlib import Path

from loguru import logger
from pipecat.frames.frames import EndFrame, InputAudioRawFrame
from pipecat.pipeline.pipeline import Pipeline
from pipecat.pipeline.worker import PipelineParams, PipelineWorker
from pipecat.services.deepgram.flux.stt import DeepgramFluxSTTService
from pipecat.workers.runner import WorkerRunner

_EVENTS = {
    "on_start_of_turn": "StartOfTurn",
    "on_update": "Update",
    "on_eager_end_of_turn": "EagerEndOfTurn",
    "on_turn_resumed": "TurnResumed",
    "on_end_of_turn": "EndOfTurn",
}


async def main(base_url: str, audio: bytes, eager: float, eot: float) -> None:
    """Send the audio through a pipeline, and print what its handlers are told."""
    stt = DeepgramFluxSTTService(
        api_key="any",
        url=f"{base_url}/v2/listen",
        sample_rate=16000,
        enable_eager_end_of_turn=True,
        settings=DeepgramFluxSTTService.Settings(
            model="flux-general-en", eager_eot_threshold=eager, eot_threshold=eot
        ),
    )
    for name, event in _EVENTS.items():

        async def report(_service: object, *said: object, event: str = event) -> None:
            print(json.dumps({"event": event, "text": said[0] if said else ""}), flush=True)

        stt.add_event_handler(name, report)
    params = PipelineParams(audio_in_sample_rate=16000)
    worker = PipelineWorker(Pipeline([stt]), params=params, cancel_on_idle_timeout=False)

    async def send() -> None:
        await asyncio.sleep(1.0)  # the pipeline starts meanwhile
        for start in range(0, len(audio), 640):
            piece = audio[start : start + 640]
            await worker.queue_frame(InputAudioRawFrame(piece, 16000, 1))
            await asyncio.sleep(0.02)
        await asyncio.sleep(0.5)
        await worker.queue_frame(EndFrame())

    runner = WorkerRunner(handle_sigint=False)
    await runner.add_workers(worker)
    await asyncio.gather(runner.run(), send())


logger.remove()
logger.add(sys.stderr, level="WARNING")
asyncio.run(main(sys.argv[1], Path(sys.argv[2]).read_bytes(), *map(float, sys.argv[3:5])))
