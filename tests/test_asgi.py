"""The application, called as an ASGI server would, on virtual time."""

import json
from xml.etree import ElementTree as ET

import anyio
import pytest
from starlette.applications import Starlette
from starlette.routing import Mount

from turnkit.agent import Agent
from turnkit.asgi import create_app
from turnkit.config import Settings
from turnkit.errors import SourceRefused, TransportClosed

pytestmark = pytest.mark.anyio

HOST = (b"host", b"localhost:8080")
START = '{"event":"start","start":{"streamSid":"MZ1","callSid":"CA1"}}'


async def listen(agent, transport, settings, listeners):
    """Be a conversation in which nobody answers."""
    try:
        while True:
            await transport.receive()
    except TransportClosed:
        return


def app_of(conversation=listen, **settings):
    return create_app(Agent, Settings.model_construct(**settings), conversation)


async def ask(app, path, method="GET", headers=(HOST,)):
    """Make an HTTP request; return status, headers and body."""
    sent = []

    async def receive():
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message):
        sent.append(message)

    scope = {"type": "http", "method": method, "path": path, "headers": list(headers)}
    scope |= {"query_string": b"", "scheme": "http", "server": ("127.0.0.1", 8080)}
    await app(scope, receive, send)
    names = {name.decode(): value.decode() for name, value in sent[0]["headers"]}
    return sent[0]["status"], names, b"".join(m.get("body", b"") for m in sent[1:])


async def call(app, path="/ws", query="", headers=(HOST,), says=(), extensions=None):
    """Make a call that ends after what is said; return what the server sent, in order."""
    sent = []
    inbox = [{"type": "websocket.connect"}]
    inbox += [{"type": "websocket.receive", "text": text} for text in says]

    async def receive():
        return inbox.pop(0) if inbox else {"type": "websocket.disconnect", "code": 1001}

    async def send(message):
        sent.append(message)

    denial = {"websocket.http.response": {}} if extensions is None else extensions
    scope = {"type": "websocket", "path": path, "headers": list(headers), "extensions": denial}
    await app(scope | {"query_string": query.encode(), "scheme": "ws"}, receive, send)
    return sent


def denied(sent):
    """Return the status and the error of a refused handshake."""
    return sent[0]["status"], json.loads(sent[1]["body"])["error"]


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/", "text/html"),
        ("/static/app.js", "text/javascript"),
        ("/static/player.js", "text/javascript"),
        ("/static/microphone.js", "text/javascript"),
        ("/static/style.css", "text/css"),
    ],
)
async def test_the_page_is_served_with_everything_it_needs(path, kind):
    status, headers, body = await ask(app_of(), path)
    assert (status, headers["content-type"].split(";")[0]) == (200, kind)
    assert body


@pytest.mark.parametrize(
    "path",
    [
        "/static/../asgi.py",
        "/static/..%2fasgi.py",
        "/static//etc/passwd",
        "/static/app.js\0",
        "/static/index.html",
        "/static/",
        "/asgi.py",
    ],
)
async def test_nothing_else_is_served(path):
    assert (await ask(app_of(), path))[0] == 404


async def test_every_response_forbids_foreign_scripts():
    for path in ("/", "/static/app.js", "/healthz", "/nothing"):
        _, headers, _ = await ask(app_of(), path)
        assert headers["content-security-policy"].startswith("default-src 'self';")
        assert headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "TRACE", "BREW"])
@pytest.mark.parametrize("path", ["/", "/static/app.js", "/healthz", "/readyz"])
async def test_a_wrong_method_is_told_the_right_ones(path, method):
    status, headers, _ = await ask(app_of(), path, method)
    assert status == 405
    assert set(headers["allow"].split(", ")) == {"GET", "HEAD"}


async def test_the_server_is_ready_until_it_is_full():
    app = app_of(max_calls=1)
    assert (await ask(app, "/readyz"))[0] == 200
    with app.state.calls.admit("c0ffee"):
        status, headers, body = await ask(app, "/readyz")
    assert (status, headers["retry-after"]) == (503, "5")
    assert json.loads(body) == {"error": "all 1 lines are busy; try again later"}


async def test_a_draining_server_is_healthy_but_not_ready():
    app = app_of()
    app.state.calls.draining = True
    assert (await ask(app, "/healthz"))[0] == 200
    assert (await ask(app, "/readyz"))[0] == 503


@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_twiml_connects_the_call_to_where_twilio_found_us(method):
    status, headers, body = await ask(app_of(), "/twiml", method, [(b"host", b"voice.example")])
    assert (status, headers["content-type"].split(";")[0]) == (200, "text/xml")
    stream = ET.fromstring(body).find("Connect/Stream")
    assert stream.get("url") == "ws://voice.example/twilio"


@pytest.mark.parametrize("url", ["wss://voice.example/a", "https://voice.example/a/"])
async def test_twiml_prefers_the_public_url(url):
    _, _, body = await ask(app_of(public_url=url), "/twiml")
    assert ET.fromstring(body).find("Connect/Stream").get("url") == "wss://voice.example/a/twilio"


async def test_a_hostile_host_cannot_write_twiml():
    host = b'x"/><Dial>+1900</Dial><Stream url="'
    _, _, body = await ask(app_of(), "/twiml", headers=[(b"host", host)])
    assert [element.tag for element in ET.fromstring(body).iter()] == [
        "Response",
        "Connect",
        "Stream",
    ]


async def test_twilio_is_told_when_the_line_is_busy():
    app = app_of()
    app.state.calls.draining = True
    _, _, body = await ask(app, "/twiml", "POST")
    assert ET.fromstring(body).find("Reject").get("reason") == "busy"


async def test_a_call_is_counted_while_it_lasts_and_closed_at_its_end():
    async def conversation(agent, transport, settings, listeners):
        seen.append((type(agent), list(listeners) == [transport], len(app.state.calls)))
        await listen(agent, transport, settings, listeners)

    seen = []
    app = app_of(conversation)
    sent = await call(app, says=['{"type":"bye"}'])
    assert seen == [(Agent, True, 1)]
    assert json.loads(sent[1]["text"]) == {"type": "end", "reason": "hung up"}
    assert (sent[2]["type"], sent[2]["code"]) == ("websocket.close", 1000)
    assert len(app.state.calls) == 0


async def test_an_unsupported_rate_is_refused_before_there_is_a_call():
    sent = await call(app_of(), query="input_rate=44100")
    message = "sample rate 44100 not supported; send 8000, 16000, 24000 or 48000"
    assert denied(sent) == (400, message)


@pytest.mark.parametrize("path", ["/ws", "/twilio"])
async def test_a_full_server_refuses_before_there_is_a_call(path):
    app = app_of(max_calls=1)
    with app.state.calls.admit("c0ffee"):
        sent = await call(app, path)
    assert denied(sent) == (503, "all 1 lines are busy; try again later")
    assert (b"retry-after", b"5") in sent[0]["headers"]


@pytest.mark.parametrize("path", ["/ws", "/twilio"])
async def test_a_page_of_another_origin_is_refused(path):
    sent = await call(app_of(), path, headers=[HOST, (b"origin", b"https://evil.example")])
    message = "pages of https://evil.example may not connect; add it to the setting origins"
    assert denied(sent) == (403, message)


async def test_where_http_cannot_be_answered_a_refusal_is_a_plain_close():
    sent = await call(app_of(), query="input_rate=1", extensions={})
    assert [m["type"] for m in sent] == ["websocket.close"]


async def test_a_telephone_call_is_answered():
    sent = await call(app_of(), "/twilio", says=[START, '{"event":"stop"}'])
    assert (sent[-1]["type"], sent[-1]["code"]) == ("websocket.close", 1000)


async def test_a_telephone_call_that_never_starts_leaves_nothing_behind():
    app = app_of()
    sent = await call(app, "/twilio", says=['{"event":"stop"}'])
    assert [m["type"] for m in sent] == ["websocket.accept", "websocket.close"]
    assert len(app.state.calls) == 0


@pytest.mark.parametrize(
    ("error", "message"),
    [(SourceRefused("no such key"), "no such key"), (ZeroDivisionError("x"), "internal error")],
)
async def test_a_broken_conversation_ends_with_1011_and_no_inner_details(error, message):
    async def broken(agent, transport, settings, listeners):
        raise error

    app = app_of(broken)
    sent = await call(app)
    assert json.loads(sent[1]["text"]) == {"type": "error", "message": message}
    assert (sent[2]["code"], sent[2]["reason"]) == (1011, message)
    assert len(app.state.calls) == 0


async def test_it_can_be_mounted_in_an_application_of_ones_own():
    app = Starlette(routes=[Mount("/voice", create_app(Agent, Settings.model_construct(), listen))])
    assert (await ask(app, "/voice/static/app.js"))[0] == 200
    _, _, body = await ask(app, "/voice/twiml")
    url = ET.fromstring(body).find("Connect/Stream").get("url")
    assert url == "ws://localhost:8080/voice/twilio"
    sent = await call(app, "/voice/ws", says=['{"type":"bye"}'])
    assert sent[-1]["code"] == 1000


async def test_a_call_that_is_cancelled_is_still_closed():
    async def endless(agent, transport, settings, listeners):
        await anyio.sleep_forever()

    app = app_of(endless)
    with anyio.move_on_after(1):
        await call(app)
    assert len(app.state.calls) == 0
