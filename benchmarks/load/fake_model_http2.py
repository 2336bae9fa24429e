"""The model over HTTP/2 and TLS, as OpenAI serves it: cancelling an answer costs no connection."""

import asyncio
import ssl
import tempfile
from pathlib import Path
from typing import cast

import trustme
from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.events import DataReceived, RequestReceived, StreamEnded, StreamReset

from benchmarks.load.fake_model import Answer
from benchmarks.load.journal import Journal
from benchmarks.load.plan import Pace

_HEADERS = ((":status", "200"), ("content-type", "text/event-stream"))


def identity() -> tuple[ssl.SSLContext, Path]:
    """Return what a server needs to be 127.0.0.1, and the file of who vouches for that."""
    authority = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.set_alpn_protocols(["h2"])
    authority.issue_cert("127.0.0.1").configure_cert(context)
    folder = Path(tempfile.mkdtemp(prefix="bench-"))
    file = folder / "authority.pem"
    authority.cert_pem.write_to_path(str(file))
    return context, file


class Http2Connection(asyncio.Protocol):
    """One connection, with any number of answers on it."""

    def __init__(self, pace: Pace, journal: Journal) -> None:
        self._pace = pace
        self._journal = journal
        self._http = H2Connection(H2Configuration(client_side=False, header_encoding="utf-8"))
        self._bodies: dict[int, bytearray] = {}
        self._answers: dict[int, Answer] = {}

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin."""
        self._transport = cast("asyncio.Transport", transport)
        self._link = self._journal.open("model")
        self._http.initiate_connection()
        self._flush()

    def data_received(self, data: bytes) -> None:
        """Read on."""
        for event in self._http.receive_data(data):
            match event:
                case RequestReceived(stream_id=int(stream)):
                    self._bodies[stream] = bytearray()
                case DataReceived(stream_id=int(stream), data=bytes(body)):
                    self._bodies[stream] += body
                    self._http.acknowledge_received_data(event.flow_controlled_length, stream)
                case StreamEnded(stream_id=int(stream)):
                    self._begin(stream)
                case StreamReset(stream_id=int(stream)):
                    self._bodies.pop(stream, None)
                    if (answer := self._answers.pop(stream, None)) is not None:
                        answer.cut()
        self._flush()

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002
        """Stop."""
        for answer in self._answers.values():
            answer.cut()
        self._journal.note("model.gone", self._link)

    def _begin(self, stream: int) -> None:
        self._http.send_headers(stream, _HEADERS)

        def write(data: bytes, last: bool) -> None:  # noqa: FBT001  # a callback
            # Answers are smaller than the windows; who reads none of several has to be cut.
            self._http.send_data(stream, data, end_stream=last)
            if last:
                self._answers.pop(stream, None)
            self._flush()

        # The journal's links are connections: several answers may be on one, each by its call.
        body = bytes(self._bodies.pop(stream))
        self._answers[stream] = Answer(self._pace, self._journal, self._link, body, write)

    def _flush(self) -> None:
        if data := self._http.data_to_send():
            self._transport.write(data)
