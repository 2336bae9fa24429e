"""Aura, Deepgram's streaming voice, over its WebSocket.

`--voice aura` or `--voice aura:aura-2-thalia-en`, or any other of its voices. It needs
DEEPGRAM_API_KEY. docs/voices.md tells what it costs in connections, and what its limits are.
"""

from collections.abc import AsyncGenerator
from contextlib import aclosing

import anyio
import structlog
from pydantic import SecretStr

from turnkit.config import Settings
from turnkit.deepgram.credentials import Credentials, needed, of_key
from turnkit.errors import SynthesisError
from turnkit.tts.aura_address import Address, LineLost, Patience
from turnkit.tts.aura_pool import Pool
from turnkit.tts.aura_wire import MODEL, RATE_HZ, RATES_HZ, SpeakParameters, speakable_parts
from turnkit.tts.base import WarmSynthesizer

log = structlog.get_logger(__name__)

_PATIENCE = Patience()


def create(argument: str | None, settings: Settings) -> "AuraSynthesizer":
    """Return Aura's voice `argument`. Raises ConfigError without a key, or for no such voice."""
    voice = SpeakParameters(argument or MODEL, mip_opt_out=settings.mip_opt_out)
    return AuraSynthesizer(voice, settings.aura_url, needed(settings, "voice aura"))


class AuraSynthesizer:
    """A voice behind a WebSocket.

    While it is run, connections are kept open for it; otherwise each text opens its own, and is
    heard when all of it has come.
    """

    def __init__(
        self,
        voice: str | SpeakParameters,
        url: str,
        key: SecretStr | Credentials,
        *,
        patience: Patience = _PATIENCE,
    ) -> None:
        """Check the voice, the URL and the key. Raises ConfigError.

        Args:
            voice: its name, or what else to ask for.
            url: the server's; without a path, `/v1/speak` is meant.
            key: sent only over TLS or to this machine, for others could read it on its way.
            patience: how long to wait for what.
        """
        self.dropped_bytes = 0
        """Half samples at the end of a text: each is a fault of the server's."""
        self.sample_rate_hz = RATE_HZ
        """The rate that is asked for."""
        parameters = SpeakParameters(voice) if isinstance(voice, str) else voice
        credentials = key if isinstance(key, Credentials) else of_key(key)
        self._address = Address(url, parameters, credentials)
        self._patience = patience
        self._pool: Pool | None = None

    async def run(self, wanted_hz: int) -> None:
        """Keep connections open until cancelled, for audio at `wanted_hz` if Aura has it."""
        self.sample_rate_hz = wanted_hz if wanted_hz in RATES_HZ["linear16"] else RATE_HZ
        self._address = self._address.at(self.sample_rate_hz)
        async with anyio.create_task_group() as tasks:
            self._pool = Pool(tasks, self._address, self._patience)
            try:
                await self._pool.keep()
            finally:
                self._pool = None

    async def speak(self, text: str) -> AsyncGenerator[bytes, None]:
        """Yield the audio of `text` as it comes; stopping stops the server too."""
        for part in speakable_parts(text):
            if (pool := self._pool) is None:
                yield await self._speak_alone(part)
                continue
            async with aclosing(self._speak(part, pool)) as audio:
                async for pcm in audio:
                    yield pcm

    async def _speak(self, text: str, pool: Pool) -> AsyncGenerator[bytes, None]:
        """Speak on one of the lines; on another if that breaks before the first sound."""
        for attempt in (1, 2):
            utterance = (await pool.take(len(text))).say(text)
            try:
                while pcm := await utterance.next():
                    yield pcm
            except LineLost:
                if utterance.begun or attempt == 2:
                    raise
            else:
                self._count(utterance.odd_bytes)
                return
            finally:
                utterance.drop()

    async def _speak_alone(self, text: str) -> bytes:
        """Return all the audio of a text, over a connection of its own."""
        pieces: list[bytes] = []
        error: SynthesisError | None = None
        async with anyio.create_task_group() as tasks:
            pool = Pool(tasks, self._address, self._patience)
            try:
                async with aclosing(self._speak(text, pool)) as audio:
                    pieces.extend([pcm async for pcm in audio])
            except SynthesisError as exc:  # raised below, outside the group that would wrap it
                error = exc
            tasks.cancel_scope.cancel()
        if error is not None:
            raise error
        return b"".join(pieces)

    def _count(self, odd_bytes: int) -> None:
        if odd_bytes:
            self.dropped_bytes += odd_bytes
            log.warning("aura.odd_byte")


_: type[WarmSynthesizer] = AuraSynthesizer  # the type checker holds it to the protocol
