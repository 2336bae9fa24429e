"""The providers of the load, against the clients they have to satisfy."""

from contextlib import asynccontextmanager

import anyio
import msgspec
import pytest
from websockets.asyncio.client import connect

from benchmarks.load import codes
from benchmarks.load.codes import Code
from benchmarks.load.plan import Pace, Plan
from benchmarks.load.providers import Providers
from turnkit.sources.flux_wire import parse_server
from turnkit.testing.flux_rules import violations

pytestmark = [
    pytest.mark.anyio,
    pytest.mark.network,
    pytest.mark.loopback,
    # Deepgram's client is written for a websockets of some years ago.
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
]

AT_ONCE = Pace(first_token_s=0.01, first_audio_s=0.01, speed=50)
QUICK = Plan(turns=6, lead_in_s=0.05, normal_s=0.3, pace=AT_ONCE)


@asynccontextmanager
async def serving(plan=QUICK):
    providers = Providers()
    await providers.take_plan(msgspec.json.encode(plan))
    addresses = await providers.serve()
    try:
        yield providers, addresses
    finally:
        providers.close()


@asynccontextmanager
async def deepgram(addresses):
    from deepgram import AsyncDeepgramClient  # noqa: PLC0415  # where its warnings are expected
    from deepgram.environment import DeepgramClientEnvironment  # noqa: PLC0415

    there = addresses.flux.removesuffix("/v2/listen")
    environment = DeepgramClientEnvironment(
        base=there, production=there, agent=there, agent_rest=there
    )
    yield AsyncDeepgramClient(api_key="any", environment=environment)


async def test_openais_client_gets_the_answer_token_by_token():
    import openai  # noqa: PLC0415  # takes a third of a second

    async with (
        serving() as (providers, addresses),
        openai.AsyncOpenAI(api_key="any", base_url=addresses.model) as client,
    ):
        stream = await client.chat.completions.create(
            model="bench",
            messages=[{"role": "user", "content": codes.words(7, 2, "brisk")}],
            stream=True,
            stream_options={"include_usage": True},
        )
        chunks = [chunk async for chunk in stream]
    tokens = [chunk.choices[0].delta.content for chunk in chunks if chunk.choices]
    said = codes.answer(7, 2, "brisk", ".", 2)
    assert [token for token in tokens if token] == [*said[0], *said[1]]
    assert chunks[-1].usage.completion_tokens == 11
    kinds = [event.kind for event in providers.journal.events if event.kind.startswith("model")]
    assert kinds[:5] == [
        *("model.open", "model.asked", "model.first", "model.sentence", "model.done")
    ]


async def test_the_model_notes_who_left_before_the_end():
    import openai  # noqa: PLC0415

    async with serving() as (providers, addresses):
        async with openai.AsyncOpenAI(api_key="any", base_url=addresses.model) as client:
            messages = [{"role": "user", "content": codes.words(7, 2, "slow")}]
            stream = await client.chat.completions.create(
                model="bench", messages=messages, stream=True
            )
            await anext(aiter(stream))
            await stream.close()
        with anyio.fail_after(5):
            while not (cut := [e for e in providers.journal.events if e.kind == "model.cut"]):  # noqa: ASYNC110  # the model tells nobody
                await anyio.sleep(0.001)
    assert [(event.call, event.turn) for event in cut] == [(7, 2)]


async def test_deepgrams_client_gets_the_audio_and_what_it_says():
    from deepgram.speak.v1.types import SpeakV1Text  # noqa: PLC0415

    async with serving() as (_, addresses), deepgram(addresses) as client:
        asked = {"model": "aura-2-thalia-en", "encoding": "linear16", "sample_rate": "24000"}
        async with client.speak.v1.connect(**asked) as connection:
            await connection.send_text(SpeakV1Text(text="Call 7 turn 2 is heard."))
            await connection.send_flush()
            received = [await connection.recv()]
            while getattr(received[-1], "type", None) != "Flushed":
                received.append(await connection.recv())
            await connection.send_clear()
            assert (await connection.recv()).type == "Cleared"
    audio = b"".join(one for one in received if isinstance(one, bytes))
    assert received[0].type == "Metadata"
    assert len(audio) == 0.6 * 48000
    assert codes.decode(codes.key(audio, "linear16", 24000), "linear16") == Code(7, 2, 0)


async def test_deepgrams_client_gets_turns_that_keep_the_rules():
    asked = {"model": "flux-general-en", "encoding": "mulaw", "sample_rate": 8000}
    async with (
        serving() as (providers, addresses),
        deepgram(addresses) as client,
        client.listen.v2.connect(**asked, eager_eot_threshold=0.5) as connection,
    ):
        received = []
        for _ in range(25):  # what is sent ahead is heard at once
            await connection.send_media(bytes(640))
        async for message in connection:
            received.append(message)
            ends = [m for m in received if getattr(m, "event", "") == "EndOfTurn"]
            if len(ends) == 6:
                break
    assert violations([parse_server(message.json()) for message in received]) == []
    assert [m.transcript for m in ends] == [
        codes.words(0, turn, mode)
        for turn, mode in enumerate(
            ("brisk", "brisk", "brisk", "slow", "brisk", "stale then brisk")
        )
    ]
    sent = [e.note for e in providers.journal.events if e.kind == "flux.sent"]
    assert sent[-5:] == [
        *("StartOfTurn", "EagerEndOfTurn", "TurnResumed", "EagerEndOfTurn", "EndOfTurn")
    ]


async def test_who_asks_for_no_eager_ends_gets_none():
    asked = {"model": "flux-general-en", "encoding": "mulaw", "sample_rate": 8000}
    plan = msgspec.structs.replace(QUICK, turns=2)
    async with (
        serving(plan) as (_, addresses),
        deepgram(addresses) as client,
        client.listen.v2.connect(**asked) as connection,
    ):
        await connection.send_media(bytes(8000))
        events = []
        while events[-1:] != ["EndOfTurn"]:
            events.append(getattr(await connection.recv(), "event", ""))
    assert "EagerEndOfTurn" not in events


async def test_what_is_flushed_of_a_reply_that_was_cut_short_belongs_to_that_reply():
    async with serving() as (providers, addresses), connect(addresses.voice, proxy=None) as voice:
        for told in ("Call 7 turn 2 is heard. Part 1", None):
            text = {"type": "Flush"} if told is None else {"type": "Speak", "text": told}
            await voice.send(msgspec.json.encode(text).decode())
        async for message in voice:
            if isinstance(message, str) and "Flushed" in message:
                break
    spoken = [(e.call, e.turn) for e in providers.journal.events if e.kind == "voice.text"]
    assert spoken == [(7, 2), (7, 2)]
