"""The Worker of deploy/cloudflare in Cloudflare's own runtime, with our servers behind it."""

import json
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path
from urllib.parse import urlencode

import anyio
import pytest
import soundfile
from pydantic import SecretStr
from websockets.exceptions import ConnectionClosed

from turnkit.audio.frames import AudioFormat
from turnkit.config import Settings
from turnkit.dial import NOTHING, Offer, Refused, dial
from turnkit.errors import SourceRefused
from turnkit.listen import create_listen_app
from turnkit.server import running
from turnkit.sources import cloudflare
from turnkit.testing.ears import silence
from turnkit.testing.flux_faults import CLOUDFLARE, Close, Drop
from turnkit.testing.flux_server import flux_server
from turnkit.testing.spelling import say
from turnkit.turn.events import EagerEndOfTurn, EndOfTurn, StartOfTurn, Update

pytestmark = [pytest.mark.anyio, pytest.mark.network]

FOLDER = Path(__file__).resolve().parents[2] / "deploy" / "cloudflare"
SECRET = "canary-4711"
PLAIN = {"encoding": "linear16", "sample_rate": "16000"}
KNOWN = Offer({"Authorization": f"Bearer {SECRET}"})
MODERN = replace(CLOUDFLARE, greets=True, typed=True, explains=True)


async def conversation(there, audio, *, secret=SECRET, **values):
    """Have a whole one through turnkit's client; return what was reported, and the source."""
    given = {"cloudflare_worker_secret": SecretStr(secret), "eager_eot_threshold": 0.4}
    settings = Settings.model_construct(**(given | values))
    source = cloudflare.create(f"ws://{there}", settings, AudioFormat(16000))
    events = []
    source.hear(audio)
    source.finish()
    await source.run(events.append)
    return [event for event in events if not isinstance(event, Update)], source


async def connect(there, offer=KNOWN, path="/v2/listen", **query):
    url = f"ws://{there}{path}?{urlencode(PLAIN | query, doseq=True)}"
    return await dial(url, offer, open_s=30.0, close_s=1.0)


async def refusal(there, offer=KNOWN, path="/v2/listen", **query):
    """Be refused; return the status and what was said."""
    with pytest.raises(Refused) as caught:
        await connect(there, offer, path, **query)
    response = caught.value.response
    said = json.loads(response.body)
    assert response.headers["dg-error"] == said["description"]
    assert SECRET not in str(said)
    return response.status_code, said["code"], said["description"]


async def closing(websocket):
    """Read to the end; return the code and the reason of the close."""
    try:
        while True:
            await websocket.recv()
    except ConnectionClosed as exc:
        return exc.rcvd.code, exc.rcvd.reason


async def test_two_spoken_words_become_a_turn_by_way_of_cloudflare(worker, shared):
    samples, _ = soundfile.read(
        shared / "audio/utterance/dialogflow_two_people.flac", dtype="int16"
    )
    spoken = samples.tobytes() + silence(1.6)
    settings = Settings.model_construct(recognizer_workers=0)
    async with (
        running(create_listen_app(settings), settings) as listen,
        worker(listen, model="flux-general-en") as there,
    ):
        events, source = await conversation(there, spoken)
    assert events[1:] == [
        EagerEndOfTurn(0, "two people"),
        EndOfTurn(0, "two people", "model"),
    ]
    assert isinstance(events[0], StartOfTurn)
    assert (source.malformed, source.unknown, list(source.outages)) == (0, {}, [])


async def test_the_least_that_cloudflare_promises_suffices(worker):
    async with flux_server(runs=CLOUDFLARE) as flux, worker(flux.url) as there:
        events, _ = await conversation(there, say("book a table", "for four"))
    ends = [event.transcript for event in events if isinstance(event, EndOfTurn)]
    assert ends == ["book a table", "for four"]


async def test_what_is_set_arrives(worker):
    async with flux_server(runs=MODERN) as flux, worker(flux.url) as there:
        await conversation(
            there,
            say("yes"),
            eot_threshold=0.8,
            eot_timeout_ms=900,
            keyterms=("one", "two words"),
            mip_opt_out=True,
            tags=("night",),
        )
    (visit,) = flux.visits
    asked = visit.parameters
    thresholds = (asked.eager_eot_threshold, asked.eot_threshold, asked.eot_timeout_ms)
    assert thresholds == (0.4, 0.8, 900)
    assert (asked.keyterms, asked.mip_opt_out, asked.tags) == (
        ("one", "two words"),
        True,
        ("night",),
    )


async def test_a_model_that_is_lost_costs_no_words(worker):
    async with flux_server(Drop(0, 5), runs=MODERN) as flux, worker(flux.url) as there:
        events, source = await conversation(there, say("book a table", "for four"))
    ends = [event.transcript for event in events if isinstance(event, EndOfTurn)]
    assert ends == ["book a table", "for four"]
    assert len(source.outages) == 1


# Who is let in.


@pytest.mark.parametrize(
    "offer",
    [
        NOTHING,
        Offer({"Authorization": "Bearer wrong"}),
        Offer({"Authorization": SECRET}),
        Offer({"Authorization": f"Basic {SECRET}"}),
        Offer(subprotocols=("bearer", "wrong")),
        Offer(subprotocols=("bearer",)),
        Offer(subprotocols=(SECRET,)),
    ],
)
async def test_without_the_secret_nobody_is(worker, offer):
    async with flux_server(runs=MODERN) as flux, worker(flux.url) as there:
        assert (await refusal(there, offer))[:2] == (401, "INVALID_AUTH")
    assert flux.knocked_at == []


async def test_turnkit_says_which_variable_to_look_at(worker):
    async with flux_server(runs=MODERN) as flux, worker(flux.url) as there:
        with pytest.raises(SourceRefused, match="check TURNKIT_CLOUDFLARE_WORKER_SECRET"):
            await conversation(there, say("yes"), secret="wrong")


async def test_a_worker_without_a_secret_lets_nobody_in(worker):
    async with flux_server(runs=MODERN) as flux, worker(flux.url, secret="") as there:
        assert (await refusal(there))[:2] == (503, "NO_SECRET")
        assert (await refusal(there, Offer({"Authorization": "Bearer "})))[0] == 503


@pytest.mark.parametrize("word", ["bearer", "token"])
async def test_a_browser_says_it_as_a_subprotocol_and_is_answered_with_the_word(worker, word):
    offer = Offer({"Origin": "https://b.example"}, (word, SECRET))
    async with flux_server(runs=MODERN) as flux, worker(flux.url) as there:
        websocket = await connect(there, offer)
        assert websocket.subprotocol == word
        await websocket.close()


async def test_pages_of_other_origins_are_not(worker):
    offer = Offer({"Origin": "https://evil.example", "Authorization": f"Bearer {SECRET}"})
    async with flux_server(runs=MODERN) as flux, worker(flux.url) as there:
        assert (await refusal(there, offer))[:2] == (403, "INSUFFICIENT_PERMISSIONS")
    assert flux.knocked_at == []


# What is asked for.


async def test_what_cloudflare_would_not_take_is_refused_before_it_is_asked(worker):
    said = {}
    async with flux_server(runs=MODERN) as flux, worker(flux.url) as there:
        for query in [
            {"model": "flux-general-multi"},
            {"language_hint": "en"},
            {"interim_results": "true"},
            {"encoding": "mulaw"},
            {"sample_rate": "11025"},
            {"eager_eot_threshold": "0.8"},
            {"eager_eot_threshold": "0.2"},
            {"eot_threshold": "1.0"},
            {"eot_threshold": "high"},
            {"eot_timeout_ms": "499"},
            {"keyterm": ""},
            {"keyterm": ["x"] * 101},
            {"mip_opt_out": "yes"},
            {"tag": "x" * 129},
            {"tag": ["a", "b"]},
            {"toString": "x"},
        ]:
            status, code, description = await refusal(there, **query)
            assert (status, code) == (400, "INVALID_PARAMETER"), query
            said[next(iter(query))] = description
    assert said["model"].startswith("model 'flux-general-multi' is not here; Cloudflare hosts ")
    assert said["language_hint"] == "language_hint is not supported for model flux-general-en"
    assert flux.knocked_at == []


async def test_what_is_needed_is_named(worker):
    async with flux_server(runs=MODERN) as flux, worker(flux.url) as there:
        with pytest.raises(Refused) as caught:
            await dial(f"ws://{there}/", KNOWN, open_s=30.0, close_s=1.0)
    assert b"encoding is missing" in caught.value.response.body


async def test_the_english_model_may_be_named_and_the_path_left_out(worker):
    async with flux_server(runs=MODERN) as flux, worker(flux.url) as there:
        websocket = await connect(there, path="/", model="flux-general-en")
        assert json.loads(await websocket.recv())["type"] == "Connected"
        await websocket.close()


async def test_other_paths_and_plain_http_are_refused(worker):
    async with flux_server(runs=MODERN) as flux, worker(flux.url) as there:
        assert (await refusal(there, path="/v1/listen"))[0] == 404
        async with await anyio.connect_tcp(*there.split(":")) as stream:
            await stream.send(b"GET /v2/listen HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
            assert (await stream.receive()).startswith(b"HTTP/1.1 426 ")


# What the model does.


@pytest.mark.parametrize(
    ("error", "status", "code"),
    [
        ("3040: Capacity temporarily exceeded", 429, "TOO_MANY_REQUESTS"),
        ("3036: daily free allocation", 429, "TOO_MANY_REQUESTS"),
        ("5018: not allowed", 403, "INSUFFICIENT_PERMISSIONS"),
        ("5004: Invalid data", 400, "INVALID_PARAMETER"),
        ("something else", 502, "MODEL_FAILED"),
    ],
)
async def test_a_model_that_fails_is_quoted(worker, error, status, code):
    async with flux_server(runs=MODERN) as flux, worker(flux.url) as there:
        assert await refusal(there, tag=f"fail:{error}") == (status, code, error)


async def test_thresholds_that_cost_the_websocket_are_left_out_and_named(worker):
    async with flux_server(runs=MODERN) as flux, worker(flux.url) as there:
        events, source = await conversation(there, say("yes"), eot_timeout_ms=666)
    assert events[-1] == EndOfTurn(0, "yes", "model")
    (unsupported,) = source.unsupported.values()
    assert unsupported == {"parameters eager_eot_threshold eot_timeout_ms"}
    assert flux.visits[0].parameters.eager_eot_threshold is None


# The end.


@pytest.mark.parametrize(("code", "reason"), [(1008, "DATA-0000"), (1011, "NET-0001"), (1000, "")])
async def test_how_the_model_closes_the_client_learns(worker, code, reason):
    fault = Close(0, 1, code=code, reason=reason)
    async with flux_server(fault, runs=MODERN) as flux, worker(flux.url) as there:
        websocket = await connect(there)
        await websocket.send(bytes(32000))
        assert await closing(websocket) == (code, reason)


async def test_a_close_without_a_code_stays_one(worker):
    async with flux_server(runs=MODERN) as flux, worker(flux.url) as there:
        websocket = await connect(there)
        await websocket.send('{"type":"CloseStream"}')
        assert await closing(websocket) == (1005, "")


async def test_a_client_that_hangs_up_takes_the_model_with_it(worker):
    async with flux_server(runs=MODERN) as flux, worker(flux.url) as there:
        websocket = await connect(there)
        await websocket.recv()
        await websocket.close(1001, "gone")
        with anyio.fail_after(30):
            await flux.visits[0].over.wait()


async def test_a_message_without_measure_ends_both(worker):
    async with flux_server(runs=MODERN) as flux, worker(flux.url) as there:
        websocket = await connect(there)
        await websocket.send(bytes((1 << 20) + 1))
        assert (await closing(websocket))[0] == 1009
        with anyio.fail_after(30):
            await flux.visits[0].over.wait()


# The files.


def test_the_types_are_right(packages):
    command = ["node", packages / ".bin" / "tsc"]
    done = subprocess.run(command, cwd=FOLDER, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "")


def test_the_lock_names_no_registry():
    locked = json.loads((FOLDER / "package-lock.json").read_text())["packages"].values()
    assert not [package for package in locked if "resolved" in package]
    wanted = json.loads((FOLDER / "package.json").read_text())["devDependencies"]
    assert all(version[0].isdigit() for version in wanted.values())
    assert shutil.which("npm") is None or (FOLDER / ".npmrc").read_text()
