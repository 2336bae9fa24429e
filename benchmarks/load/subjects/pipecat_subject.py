"""pipecat as a subject, as lean as its documentation lets a Twilio bot be. Runs in its environment.

What its own parts do: the FastAPI WebSocket transport, the Twilio serializer, the Flux service with
eager end of turn on, the OpenAI service, the Aura service, the context aggregators.

Chosen for speed, each by a documented parameter, against the defaults of its Twilio example:

- audio at 8 kHz both ways, so nothing is resampled (the default resampler holds audio back)
- `text_aggregation_mode=TOKEN`: words go to the voice as they come, not by sentence
- no VAD, no metrics, no RTVI, no turn tracking, no audio passed on behind the recognizer
- a log of warnings, instead of one line a frame event; uvloop, which uvicorn prefers where it is
- `gc.freeze()` once everything is imported

What cannot be chosen: speech is not synthesized before the turn is final. Its gate holds the
model's words until EndOfTurn, so eager mode saves the model's time and never the voice's.
"""

# mypy: ignore-errors
# What it imports is in another environment.

import gc
import json
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[3]))

import uvicorn  # found only now
from fastapi import FastAPI, WebSocket
from loguru import logger
from pipecat.pipeline.pipeline import Pipeline
from pipecat.pipeline.worker import PipelineParams, PipelineWorker
from pipecat.processors.aggregators.llm_context import LLMContext
from pipecat.processors.aggregators.llm_response_universal import (
    LLMContextAggregatorPair,
)
from pipecat.serializers.twilio import TwilioFrameSerializer
from pipecat.services.deepgram.flux.stt import DeepgramFluxSTTService
from pipecat.services.deepgram.tts import DeepgramTTSService
from pipecat.services.openai.llm import OpenAILLMService
from pipecat.services.tts_service import TextAggregationMode
from pipecat.transports.websocket.fastapi import (
    FastAPIWebsocketParams,
    FastAPIWebsocketTransport,
)
from pipecat.workers.runner import WorkerRunner

from benchmarks.load.subjects import contract

_RATE_HZ = 8000
_INSTRUCTIONS = "You are on the telephone. Answer in one or two short spoken sentences."


async def _call(task: contract.Task, websocket: WebSocket) -> None:
    """Carry on one call, to its end."""
    await websocket.accept()
    await websocket.receive_text()  # connected
    start = json.loads(await websocket.receive_text())["start"]
    transport = FastAPIWebsocketTransport(
        websocket,
        FastAPIWebsocketParams(
            audio_in_enabled=True,
            audio_out_enabled=True,
            serializer=TwilioFrameSerializer(
                start["streamSid"], params=TwilioFrameSerializer.InputParams(auto_hang_up=False)
            ),
        ),
    )
    worker = PipelineWorker(
        _pipeline(task, transport),
        params=PipelineParams(audio_in_sample_rate=_RATE_HZ, audio_out_sample_rate=_RATE_HZ),
        enable_rtvi=False,
        enable_turn_tracking=False,
        idle_timeout_secs=None,
    )

    @transport.event_handler("on_client_disconnected")
    async def _(_transport: object, _client: object) -> None:
        await worker.cancel()

    runner = WorkerRunner(handle_sigint=False)
    await runner.add_workers(worker)
    await runner.run()


def _pipeline(task: contract.Task, transport: FastAPIWebsocketTransport) -> Pipeline:
    ears = DeepgramFluxSTTService(
        api_key="bench",
        url=task.flux,
        enable_eager_end_of_turn=True,
        audio_passthrough=False,
        settings=DeepgramFluxSTTService.Settings(model="flux-general-en"),
    )
    model = OpenAILLMService(
        api_key="bench",
        base_url=task.llm,
        settings=OpenAILLMService.Settings(model="bench", system_instruction=_INSTRUCTIONS),
    )
    voice = DeepgramTTSService(
        api_key="bench",
        base_url=task.voice.removesuffix("/v1/speak"),
        text_aggregation_mode=TextAggregationMode.TOKEN,
        settings=DeepgramTTSService.Settings(voice="aura-2-thalia-en"),
    )
    context = LLMContextAggregatorPair(LLMContext())
    return Pipeline(
        [
            transport.input(),
            ears,
            context.user(),
            model,
            voice,
            transport.output(),
            context.assistant(),
        ]
    )


def main() -> None:
    """Serve until told to stop."""
    task = contract.read()
    logger.remove()
    logger.add(sys.stderr, level="WARNING")
    app = FastAPI()

    @app.websocket("/twilio")
    async def _(websocket: WebSocket) -> None:
        await _call(task, websocket)

    gc.collect()
    gc.freeze()
    uvicorn.run(
        app, host="127.0.0.1", port=task.port, log_level="warning", timeout_graceful_shutdown=1
    )


if __name__ == "__main__":
    main()
