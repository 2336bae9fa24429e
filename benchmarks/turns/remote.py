"""Any server of Flux's protocol as an endpoint: Deepgram's own, or `turnkit listen`.

Audio is sent at `pace` times real time; at 1 the wall clock is read as well, and what it says
contains the network. Needs no more than the protocol: a key is sent as Deepgram wants it.
"""

import threading
import time
from collections.abc import Sequence
from urllib.parse import urlencode, urlsplit

from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidStatus
from websockets.sync.client import ClientConnection, connect

from benchmarks.turns.hearings import Hearing, Told, chunks, trace_of
from turnkit.audio.frames import Samples
from turnkit.audio.resample import resample
from turnkit.errors import ConfigError, WireError
from turnkit.sources.flux_query import ListenParameters
from turnkit.sources.flux_wire import (
    MAX_MESSAGE_BYTES,
    CloseStream,
    FluxError,
    ForceEndTurn,
    TurnInfo,
    Unknown,
    encode,
    parse_refusal,
    parse_server,
)

PATH = "/v2/listen"

_CHUNK_S = 0.08  # what Flux recommends
_RATE_HZ = 16000
_REAL_TIME = 1.0
_PATIENCE_S = 30.0  # for a connection, for the next message, and for the end after CloseStream


class RemoteEndpoint:
    """A `ws://` or `wss://` server. Every hearing is a connection of its own."""

    def __init__(self, url: str, *, key: str | None = None, pace: float = _REAL_TIME) -> None:
        parts = urlsplit(url)
        if parts.scheme not in {"ws", "wss"} or not parts.hostname or parts.query:
            raise ConfigError(
                f"endpoint {url!r} is no server's address; give local, or ws://HOST[:PORT][/PATH] "
                "or wss://..., without parameters"
            )
        if pace < 0:
            raise ConfigError(f"pace {pace} is below 0; give 1 for real time, 0 for no waiting")
        self._url = url if parts.path not in {"", "/"} else f"{url.rstrip('/')}{PATH}"
        self._host = parts.netloc
        self._headers = {"Authorization": f"Token {key}"} if key else {}
        self._pace = pace

    @property
    def name(self) -> str:
        """The server's host."""
        return self._host

    def hear(
        self, samples: Samples, asked: ListenParameters, ends_at_s: Sequence[float] = ()
    ) -> Hearing:
        """Play 16 kHz audio to it; return what it says. Raises ConfigError."""
        audio = resample(samples, _RATE_HZ, asked.sample_rate_hz)
        with self._connect(asked) as socket:
            talk = _Talk(socket, self._pace)
            sender = threading.Thread(
                target=talk.send, args=(audio, asked.sample_rate_hz, list(ends_at_s)), daemon=True
            )
            sender.start()
            told = tuple(talk.listen(self._host))
            talk.over.set()
            sender.join(_PATIENCE_S)
        return Hearing(told, trace_of([one.message for one in told]))

    def _connect(self, asked: ListenParameters) -> ClientConnection:
        url = f"{self._url}?{urlencode(asked.query())}"
        try:
            return connect(
                url,
                additional_headers=self._headers,
                open_timeout=_PATIENCE_S,
                max_size=MAX_MESSAGE_BYTES,
            )
        except InvalidStatus as exc:
            why = parse_refusal(bytes(exc.response.body or b"")) or "no reason was given"
            raise ConfigError(
                f"{self._host} refused with HTTP {exc.response.status_code}: {why}"
            ) from None
        except (OSError, InvalidHandshake, TimeoutError) as exc:
            raise ConfigError(f"{self._host} cannot be reached: {exc}") from exc


class _Talk:
    """One connection: a thread sends, another listens, and both know when what was sent."""

    def __init__(self, socket: ClientConnection, pace: float) -> None:
        self._socket = socket
        self._pace = pace
        self._began_s = time.monotonic()
        self._all_sent = False
        self.over = threading.Event()

    def send(self, audio: Samples, rate_hz: int, ends_at_s: list[float]) -> None:
        """Send the audio in time, the orders between, and the end. Stops when it is over."""
        try:
            for at_s, chunk in chunks(audio, _CHUNK_S, rate_hz):
                if self._wait(at_s):
                    return
                self._socket.send(chunk)
                while ends_at_s and ends_at_s[0] <= at_s:
                    ends_at_s.pop(0)
                    self._socket.send(encode(ForceEndTurn()))
            self._socket.send(encode(CloseStream()))
            self._all_sent = True
        except ConnectionClosed:
            return  # the listener says why

    def listen(self, host: str) -> Sequence[Told]:
        """Return all messages, to the close. Raises ConfigError."""
        told: list[Told] = []
        try:
            while True:
                text = self._socket.recv(timeout=_PATIENCE_S)
                message = parse_server(text)
                if isinstance(message, FluxError):
                    raise ConfigError(f"{host} gave up: {message.code}: {message.description}")
                if not isinstance(message, Unknown):
                    delay_s = self._delay_s(message) if isinstance(message, TurnInfo) else None
                    told.append(Told(message, delay_s))
        except ConnectionClosed as exc:
            if not self._all_sent:
                raise ConfigError(f"{host} hung up in mid-stream: {exc}") from None
            return told
        except TimeoutError:
            raise ConfigError(f"{host} has said nothing for {_PATIENCE_S:.0f} s") from None
        except WireError as exc:
            raise ConfigError(f"{host} does not speak Flux's protocol: {exc}") from None

    def _wait(self, at_s: float) -> bool:
        """Wait until audio up to that instant has been spoken; tell whether all is over."""
        if not self._pace:
            return self.over.is_set()
        return self.over.wait(max(0.0, self._began_s + at_s / self._pace - time.monotonic()))

    def _delay_s(self, info: TurnInfo) -> float | None:
        if self._pace != _REAL_TIME:
            return None
        return time.monotonic() - self._began_s - info.audio_window_end
