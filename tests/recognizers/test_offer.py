"""How calls come by the recognizers of their server."""

import anyio
import numpy as np
import pytest
from starlette.applications import Starlette

from turnkit.audio.frames import AudioFormat
from turnkit.config import Settings
from turnkit.errors import ConfigError
from turnkit.listen import create_listen_app
from turnkit.recognizers import remote
from turnkit.recognizers.middleware import offer_recognizers
from turnkit.recognizers.none import NoWords
from turnkit.recognizers.offer import offered, offering
from turnkit.recognizers.pool import Recognizers
from turnkit.server import running
from turnkit.sources import flux, local
from turnkit.turn.events import EndOfTurn

pytestmark = pytest.mark.anyio

WIDE = AudioFormat(16000)


async def test_what_is_offered_is_seen_by_what_is_called_and_started():
    mine, seen = Recognizers(NoWords()), []

    async def look():
        seen.append(offered())

    with offering(mine):
        await look()
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(look)
    await look()
    assert seen == [mine, mine, None]


async def test_an_application_offers_its_own_to_every_call():
    seen = []

    async def call(scope, receive, send):
        seen.append(offered())

    app = Starlette()
    app.mount("/", call)
    offer_recognizers(app, Settings.model_construct(recognizer="none"))
    await app({"type": "websocket", "path": "/", "headers": []}, None, None)
    assert seen == [app.state.recognizers]
    assert offered() is None


def test_a_recognizer_that_cannot_be_had_is_told_before_there_is_a_call():
    settings = Settings.model_construct(recognizer="nobody")
    with pytest.raises(ConfigError, match="recognizer 'nobody' is unknown"):
        create_listen_app(settings)
    with pytest.raises(ConfigError, match="recognizer 'nobody' is unknown"):
        local.create(None, settings, WIDE)


@pytest.mark.network
async def test_a_call_to_a_server_has_its_words_from_another_process(clip, monkeypatch):
    pytest.importorskip("pocketsphinx")
    monkeypatch.setattr(remote, "PATIENCE_S", 30.0)  # however slow this machine is
    settings = Settings.model_construct(recognizer_workers=1, recognizer_decoders=1)
    app = create_listen_app(settings)
    pcm = np.concatenate([clip("utterance/dialogflow_two_people"), np.zeros(24000, np.int16)])
    events = []
    app.state.recognizers.start()
    assert app.state.recognizers.link().wait_ready(30.0)
    async with running(app, settings) as url:
        source = flux.create(url.replace("http", "ws"), settings, WIDE)
        source.hear(pcm.tobytes())
        source.finish()
        await source.run(events.append)
        assert app.state.recognizers.load.workers == 1
    assert [e.transcript for e in events if isinstance(e, EndOfTurn)] == ["two people"]
    assert app.state.recognizers.load.workers == 0
