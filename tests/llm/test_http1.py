"""HTTP/1.1, the short way, against servers that write their bytes as they like."""

import asyncio
import ssl
from contextlib import asynccontextmanager

import anyio
import pytest

pytest.importorskip("httptools")
pytest.importorskip("aiohappyeyeballs")
from turnkit.errors import ModelError
from turnkit.llm import http1
from turnkit.llm.http1 import Origin
from turnkit.llm.pool import IDLE_S, SPARES, Pool

pytestmark = [pytest.mark.anyio, pytest.mark.network, pytest.mark.loopback]

REQUEST = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{}"
OK = b"HTTP/1.1 200 OK\r\n"
SHORT = OK + b"Content-Length: 2\r\n\r\nhi"


class Server:
    """Answers each request with the same bytes; what follows them is up to `then`."""

    def __init__(self):
        self.answer = SHORT
        self.closes = False
        self.greeting = b""
        self.opened_at = []
        self.asked_on = []
        self.gone = []

    @asynccontextmanager
    async def serving(self, tls=None):
        server = await asyncio.start_server(self._serve, "127.0.0.1", 0, ssl=tls)
        self.port = server.sockets[0].getsockname()[1]
        try:
            yield self
        finally:
            server.close()

    async def _serve(self, reader, writer):
        number = len(self.opened_at)
        self.opened_at.append(anyio.current_time())
        writer.write(self.greeting)
        try:
            while await reader.readexactly(len(REQUEST)):
                self.asked_on.append(number)
                writer.write(self.answer)
                await writer.drain()
                if self.closes:
                    break
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        self.gone.append(number)
        writer.close()

    @property
    def open(self):
        return len(self.opened_at) - len(self.gone)


@pytest.fixture
async def server():
    async with Server().serving() as server:
        yield server


@pytest.fixture
async def pool(server):
    pool = Pool(Origin("127.0.0.1", server.port))
    yield pool
    await pool.aclose()


async def read_all(answer):
    body = b""
    while piece := await answer.read():
        body += piece
    return body


async def ask(pool):
    answer = await pool.ask(REQUEST)
    return answer.status_code, await read_all(answer)


async def settle():
    await anyio.sleep(1)


# One answer.


@pytest.mark.parametrize(
    ("answer", "closes"),
    [
        (SHORT, False),
        (OK + b"Transfer-Encoding: chunked\r\n\r\n1\r\nh\r\n1\r\ni\r\n0\r\n\r\n", False),
        (OK + b"Transfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\nX-Late: 1\r\n\r\n", False),
        (OK + b"\r\nhi", True),
        (b"HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n" + SHORT, False),
        (b"HTTP/1.0 200 OK\r\n\r\nhi", True),
    ],
)
async def test_an_answer_is_read_however_its_length_is_told(server, pool, answer, closes):
    server.answer, server.closes = answer, closes
    assert await ask(pool) == (200, b"hi")
    assert await ask(pool) == (200, b"hi")


async def test_headers_are_known_by_small_names(server, pool):
    server.answer = b"HTTP/1.1 429 Slow Down\r\nRetry-After: 7\r\nContent-Length: 0\r\n\r\n"
    answer = await pool.ask(REQUEST)
    assert (answer.status_code, answer.headers["retry-after"]) == (429, "7")
    assert answer.ended


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (b"", "the connection was closed"),
        (OK + b"Content-Length: 9\r\n\r\nhi", "the connection was closed"),
        (OK + b"Transfer-Encoding: chunked\r\n\r\n9\r\nhi", "the connection was closed"),
        (b"SSH-2.0-OpenSSH_9.2\r\n", "what came is not HTTP"),
        (OK + b"X: " + bytes(http1.HEAD_BYTES).replace(b"\0", b"x"), "headers of more than 65536"),
    ],
)
async def test_an_answer_that_breaks_off_is_an_error(server, pool, answer, error):
    server.answer, server.closes = answer, True
    with pytest.raises(ModelError, match=f"the model's server was lost: .*{error}") as caught:
        await ask(pool)
    assert caught.value.fault == "lost"


async def test_a_server_that_says_more_than_is_read_has_to_wait(server, pool):
    size = 100 * http1.WAITING_BYTES
    server.answer = OK + b"Content-Length: %d\r\n\r\n" % size + bytes(size)
    answer = await pool.ask(REQUEST)
    await settle()
    assert answer._waiting_bytes < 4 * http1.WAITING_BYTES
    assert len(await read_all(answer)) == size


# Connections.


async def test_answers_come_on_one_connection_unless_it_is_the_last_there(server, pool):
    for _ in range(3):
        await ask(pool)
    assert server.asked_on == [0, 0, 0]
    server.answer = OK + b"Connection: close\r\nContent-Length: 2\r\n\r\nhi"
    await ask(pool)
    await ask(pool)
    assert server.asked_on == [0, 0, 0, 0, 1]


async def test_what_is_cancelled_costs_no_request_a_new_connection(server, pool):
    server.answer = OK + b"Content-Length: 9\r\n\r\nhi"
    for _ in range(20):
        answer = await pool.ask(REQUEST)
        assert await answer.read() == b"hi"
        asked_at = anyio.current_time()
        await answer.aclose()
        await settle()
        assert server.asked_on[-1] in server.gone
    assert server.opened_at[server.asked_on[-1]] < asked_at
    assert server.open == SPARES


async def test_a_request_that_is_cancelled_ends_on_the_server_too(server, pool):
    server.answer = b""
    with anyio.move_on_after(1):
        await ask(pool)
    await settle()
    assert server.gone == server.asked_on == [0]


async def test_connections_are_closed_that_nobody_used_for_long(server, pool):
    await ask(pool)
    await settle()
    assert server.open == 1 + SPARES
    await anyio.sleep(2 * IDLE_S)
    assert server.open == 0
    assert await ask(pool) == (200, b"hi")


async def test_a_server_that_closes_what_is_unused_is_not_pestered(server, pool):
    await ask(pool)
    server.greeting = b"HTTP/1.1 408 Request Timeout\r\n\r\n"  # and nobody asked
    await anyio.sleep(IDLE_S / 2)
    assert len(server.opened_at) < 40


async def test_all_is_closed_with_the_pool(server, pool):
    answer = await pool.ask(REQUEST)
    await answer.begun()
    await pool.aclose()
    await settle()
    assert server.open == 0


async def test_a_place_where_nobody_listens_is_an_error(server):
    pool = Pool(Origin("127.0.0.1", 1))
    with pytest.raises(ModelError, match="cannot be reached: "):
        await pool.ask(REQUEST)


async def test_over_tls_a_server_has_to_prove_itself(tmp_path):
    trustme = pytest.importorskip("trustme")
    authority, tls = trustme.CA(), ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(tls)
    trusting, wary = ssl.create_default_context(), ssl.create_default_context()
    authority.configure_trust(trusting)
    async with Server().serving(tls) as server:
        pool = Pool(Origin("127.0.0.1", server.port, trusting))
        assert await ask(pool) == (200, b"hi")
        await pool.aclose()
        with pytest.raises(ModelError, match="its certificate is refused"):
            await Pool(Origin("127.0.0.1", server.port, wary)).ask(REQUEST)
