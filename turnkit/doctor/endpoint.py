"""Walks the way to a Flux server step by step, and says how long each took and where it ends.

Name, TCP and TLS are tried on a connection of their own; handshake, Connected and a second of audio
with the client that calls use, so that what holds here holds there.
"""

import os
import socket
import ssl
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from statistics import median
from typing import TypeAlias

import anyio
import numpy as np
from anyio.abc import SocketStream
from anyio.streams.tls import TLSAttribute, TLSStream

from turnkit import clock
from turnkit.audio.formants import SAMPLE_RATE_HZ, Sound, render
from turnkit.audio.frames import AudioFormat
from turnkit.config import Settings
from turnkit.dial import distrust, is_loopback
from turnkit.doctor.finding import Finding, bad, doubtful, good
from turnkit.errors import SourceError
from turnkit.sources.feed import CHUNK_S
from turnkit.sources.flux.factory import parameters_of
from turnkit.sources.flux.line import Gone, Line, Oddities, greet, knock
from turnkit.sources.flux.places import read_places
from turnkit.sources.flux.route import Route
from turnkit.sources.flux_query import ListenParameters
from turnkit.sources.flux_wire import CloseStream, TurnInfo
from turnkit.sources.link.patience import Patience

STEP_S = 5.0
"""How long name, TCP and TLS may take, each."""

SPOKEN_S, SILENT_S = 1.0, 2.0
"""How much is said to the server, and how much silence follows for it to answer in."""

SLOW_S = 1.0
"""Flux answers what it hears within a fraction of this; agents on slower answers feel slow."""

Tell: TypeAlias = Callable[[Finding], None]

_AUDIO = AudioFormat(SAMPLE_RATE_HZ)
_MESSAGES = 500  # Flux sends four a second


class _Stopped(Exception):
    """A step failed; those after it make no sense."""

    def __init__(self, finding: Finding) -> None:
        super().__init__(finding.what)
        self.finding = finding


async def examine(source: str, settings: Settings, tell: Tell) -> None:
    """Try every route that `source` names, as after `--source`. Raises ConfigError.

    Args:
        source: one route or several with commas between them.
        settings: what to ask for, and what to show to be let in.
        tell: takes what was found, as soon as it was.
    """
    parameters = parameters_of(settings, _AUDIO)
    for route in read_places(source, settings):
        route.service.check(route.url, parameters)
        try:
            await _walk(route, parameters, tell)
        except _Stopped as exc:
            tell(exc.finding)


async def _walk(route: Route, parameters: ListenParameters, tell: Tell) -> None:
    tell(good(f"{route.url.scheme}://{route.host}{route.url.path}", "route"))
    if urllib.request.getproxies() and not is_loopback(route.url.hostname or ""):
        what = "a proxy is set, so name, TCP and TLS are its business"
        tell(doubtful(what, "proxy", "unset it if the steps below fail"))
    else:
        await _reach(route, tell)
    line = await _knock(route, parameters, tell)
    try:
        tell(await _greet(line))
        await _talk(line, tell)
    finally:
        line.abort()


# Name, TCP, TLS.


async def _reach(route: Route, tell: Tell) -> None:
    host = route.url.hostname or ""
    tls = route.url.scheme == "wss"
    port = route.url.port or (443 if tls else 80)
    watch = _Watch()
    with _named("name", f"the name {host} is not found", "check its spelling, and your DNS"):
        addresses = await anyio.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    shown = ", ".join(sorted({str(address[4][0]) for address in addresses})[:4])
    tell(good(f"{host} is {shown}", "name", took_s=watch.read()))
    advice = f"start the server there, or check the port; a firewall may be in the way of {port}"
    with _named("tcp", f"nothing answers at {host} port {port}", advice):
        stream = await anyio.connect_tcp(host, port)
    tell(good(f"port {port} is open", "tcp", took_s=watch.read()))
    async with stream:
        if tls:
            tell(await _secure(stream, host, watch))


async def _secure(stream: SocketStream, host: str, watch: "_Watch") -> Finding:
    advice = "check the server's TLS, or write ws:// for a server without"
    with _named("tls", f"{host} does not answer in TLS", advice):
        try:
            safe = await TLSStream.wrap(stream, hostname=host, standard_compatible=False)
        except ssl.SSLError as exc:
            what, _, todo = distrust(exc).partition("; ")
            raise _Stopped(bad(what, "tls", todo or advice, took_s=watch.read())) from exc
    certificate = safe.extra(TLSAttribute.peer_certificate) or {}
    until = certificate.get("notAfter", "")
    version = safe.extra(TLSAttribute.tls_version)
    return good(f"{version}, certificate until {until}", "tls", took_s=watch.read())


@contextmanager
def _named(where: str, what: str, advice: str) -> Iterator[None]:
    """Turn every way in which a step can fail into a finding."""
    watch = _Watch()
    try:
        with anyio.fail_after(STEP_S):
            yield
    except TimeoutError as exc:
        said = f"{what} (no answer within {STEP_S:g} s)"
        raise _Stopped(bad(said, where, advice, took_s=watch.read())) from exc
    except (OSError, anyio.BrokenResourceError, anyio.EndOfStream) as exc:
        said = f"{what} ({_reason(exc)})"
        raise _Stopped(bad(said, where, advice, took_s=watch.read())) from exc


def _reason(exc: BaseException) -> str:
    while isinstance(exc.__cause__, OSError):  # anyio says that all attempts failed
        exc = exc.__cause__
    if isinstance(exc, OSError) and exc.errno and not isinstance(exc, socket.gaierror):
        return os.strerror(exc.errno)
    return getattr(exc, "strerror", None) or str(exc) or type(exc).__name__


# Handshake, Connected, audio.


async def _knock(route: Route, parameters: ListenParameters, tell: Tell) -> Line:
    watch = _Watch()
    try:
        line = await knock(route, parameters, Patience(), Oddities())
    except SourceError as exc:
        raise _Stopped(_failed(exc, "http", watch)) from exc
    tell(good("the handshake is accepted", "http", took_s=watch.read()))
    return line


async def _greet(line: Line) -> Finding:
    watch = _Watch()
    try:
        await greet(line, Patience())
    except SourceError as exc:
        raise _Stopped(_failed(exc, "connected", watch)) from exc
    if not line.route.greets:
        return doubtful("it does not say Connected", "connected", "calls go on without")
    return good("it is ready for audio", "connected", took_s=watch.read())


async def _talk(line: Line, tell: Tell) -> None:
    """Say something, and see what comes of it and how soon."""
    watch = _Watch()
    heard = _Answers()
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(_follow, line, heard)
        try:
            await _say(line, heard)
            spoken_s = watch.read()
            line.closing = True
            await line.send(CloseStream())
        except Gone:
            spoken_s = watch.read()  # why, `heard` learns
        with anyio.move_on_after(STEP_S):
            await heard.ended.wait()
        tasks.cancel_scope.cancel()
    if heard.error is not None:
        raise _Stopped(_failed(heard.error, "audio", watch))
    tell(_judge(heard, spoken_s))
    if heard.started:
        tell(good("it heard speech begin", "speech"))
    if heard.ended.is_set():
        tell(good("it closes when asked to", "close", took_s=watch.read()))
    else:
        tell(doubtful(f"no close within {STEP_S:g} s of CloseStream", "close", "calls end anyway"))


def _judge(heard: "_Answers", spoken_s: float) -> Finding:
    """Say what the server's messages about the audio are worth."""
    if not heard.lags_s:
        advice = "it accepts audio and says nothing: check its log, its GPU and its model"
        raise _Stopped(bad("no message came of it", "audio", advice, took_s=spoken_s))
    lag_s = median(heard.lags_s)
    what = f"{len(heard.lags_s)} messages, {lag_s * 1000:.0f} ms (median) after what they tell of"
    if lag_s > SLOW_S:
        advice = "it is far away or overloaded; try another region or route"
        return doubtful(what, "audio", advice)
    return good(what, "audio", took_s=spoken_s)


class _Answers:
    """What the server said, and how late."""

    def __init__(self) -> None:
        self.began_at = 0.0
        self.started = False
        self.error: SourceError | None = None
        self.lags_s: list[float] = []
        self.ended = anyio.Event()


async def _say(line: Line, heard: _Answers) -> None:
    """Send speech and then silence, at the pace of speech."""
    sound = np.concatenate([_speech(), np.zeros(int(SILENT_S * SAMPLE_RATE_HZ), np.int16)])
    samples = int(CHUNK_S * SAMPLE_RATE_HZ)
    heard.began_at = clock.now()
    for number, start in enumerate(range(0, len(sound) - samples + 1, samples)):
        await anyio.sleep_until(heard.began_at + (number + 1) * CHUNK_S)
        await line.send(sound[start : start + samples].tobytes())
        if heard.error is not None:
            return


async def _follow(line: Line, heard: _Answers) -> None:
    try:
        for _ in range(_MESSAGES):
            message = await line.receive()
            if message is None:
                break
            if isinstance(message, TurnInfo):
                said_at = heard.began_at + message.audio_window_end
                heard.lags_s.append(max(0.0, clock.now() - said_at))
                heard.started = heard.started or message.event == "StartOfTurn"
    except SourceError as exc:
        heard.error = exc
    heard.ended.set()


def _speech() -> np.ndarray[tuple[int], np.dtype[np.int16]]:
    """Return a second of vowels, which is more like speech to a detector of it than a tone."""
    vowels = ((730.0, 1090.0, 2440.0), (530.0, 1840.0, 2480.0), (390.0, 1990.0, 2550.0))
    sounds = [
        Sound(SPOKEN_S / 6, formants, voicing, pitch_hz=pitch)
        for formants, pitch in zip(vowels, (150.0, 130.0, 110.0), strict=True)
        for voicing in (1.0, 0.3)
    ]
    return np.concatenate(list(render(sounds)))


def _failed(exc: SourceError, where: str, watch: "_Watch") -> Finding:
    what, _, advice = str(exc).partition("; ")
    advice = advice or "see what the server's own log says"
    return bad(what, where, advice, took_s=watch.read())


class _Watch:
    """Tells how long it was since it was made, or last read."""

    def __init__(self) -> None:
        self._at = clock.now()

    def read(self) -> float:
        since, self._at = self._at, clock.now()
        return self._at - since
