"""Drives one reply: agent -> synthesizer -> playout -> transport.

It holds no rule about who may speak: it prepares when told to exist, sounds when released, and
is silent from the instant it is cancelled, whatever its agent still does.
"""

from collections.abc import AsyncGenerator, Callable, Coroutine
from contextlib import aclosing
from dataclasses import dataclass
from math import inf
from typing import TypeAlias, assert_never

import structlog

from turnkit import clock
from turnkit.agent import Audio, Speech
from turnkit.audio.frames import samples_of
from turnkit.audio.resample import Resampler
from turnkit.bell import Bell
from turnkit.config import Settings
from turnkit.errors import ModelError
from turnkit.listeners.base import AgentStuck, Note, ReplyReady, ReplySpent, ReplyWorded
from turnkit.playout import Playout
from turnkit.script import Script
from turnkit.transports.base import Transport
from turnkit.tts.base import Mark, Synthesizer
from turnkit.tts.clauses import speakable
from turnkit.turn.events import (
    PlayoutFinished,
    PlayoutStarted,
    ReplyDeclined,
    ReplyEvent,
    ReplyFailed,
)
from turnkit.unruly import Begun

log = structlog.get_logger(__name__)

_BUSY_S = 10.0
"""How long no draft is started after a model said that it was busy, and not for how long."""

ReportReply: TypeAlias = Callable[[ReplyEvent], None]


@dataclass(frozen=True, slots=True)
class Stage:
    """What every speaker of a conversation has in common."""

    voice: Synthesizer
    transport: Transport
    settings: Settings
    report: ReportReply
    note: Callable[[Note], None]
    spent: Callable[[int, int], None]
    """Takes tokens and characters that were used for a draft."""
    busy: Callable[[float], None]
    """Takes for how many seconds a provider wants to be left in peace."""
    afterwards: Callable[[Callable[[], object]], None]
    """Takes what can wait until the user is served."""


class Speaker:
    """One reply, from the agent's first word to the user's ear."""

    def __init__(self, reply: int, speech: AsyncGenerator[Speech, None], stage: Stage) -> None:
        self.reply = reply
        self.error: str | None = None
        self._speech = speech
        self._script = Script()
        self._stage = stage
        self._playout = Playout(
            stage.transport.outgoing_hz,
            stage.settings.lead_ms / 1000,
            reported=stage.transport.reports_playout,
        )
        self._news = Bell()
        self._room = Bell()
        self._released = False
        self._said = False  # whether the agent has ended, one way or the other
        self._cancelled = False
        self._voicing: Begun | None = None  # once `run` has begun
        self._started = False
        self._silenced = False
        self._paused = False
        self._composed = False
        self._all_sent = False

    # What the session calls; none of it waits.

    def release(self) -> None:
        """Let the reply be heard: what is due leaves before this returns."""
        self._released = True
        self._send_due()
        self._news.ring()

    def pause(self) -> None:
        """Be silent until resumed; what was sent and not heard will be sent again."""
        self._paused = True
        self._stage.transport.clear(self.reply)
        self._playout.rewind(clock.now())

    def resume(self) -> None:
        """Go on where the sound stopped."""
        self._paused = False
        self._send_due()
        self._news.ring()

    def cancel(self) -> None:
        """Be silent from now on, then end the work."""
        self._silenced = True
        if self._started:
            self._stage.transport.clear(self.reply)
        self._give_up()

    def _give_up(self) -> None:
        """End the work, at once: an agent may be about to do what it was waiting for."""
        self._cancelled = True
        self._speaking.cancel()
        if self._voicing is not None:
            self._voicing.cancel()
        self._news.ring()

    def acknowledge(self, played_s: float) -> None:
        """Take in how far the far end has played."""
        self._playout.acknowledge(played_s, clock.now())
        self._news.ring()

    def heard_text(self) -> tuple[str, str]:
        """Split the reply's words into those that can have been heard and the others."""
        return self._playout.heard_text(clock.now())

    def heard_is_estimate(self) -> bool:
        """Tell whether that split had to be estimated."""
        return self._playout.heard_is_estimate(clock.now())

    # The work.

    def begin(self) -> None:
        """Have the agent begin; `run` must follow. What it asks for is what everybody waits for."""
        self._speaking = Begun(self._listen_to_agent())
        self._speaking.task.add_done_callback(self._agent_ended)

    async def run(self) -> None:
        """Have it voiced, play it once released, and report how it ended."""
        self._voicing = voicing = Begun(self._compose())
        try:
            if (outcome := await self._play()) is not None:
                self._stage.report(outcome)
        finally:
            self._give_up()
            grace_s = self._stage.settings.cancel_grace_s
            await self._speaking.end(grace_s, self._agent_abandoned)
            await voicing.end(grace_s, self._voice_abandoned)

    async def _compose(self) -> None:
        """Have the voice speak what the agent says, at its own pace, to the end."""
        try:
            await self._voice()
        except Exception as exc:  # noqa: BLE001  # voices may raise anything
            self._failed(exc)
            # Nobody will hear what the agent says.
            await self._speaking.end(self._stage.settings.cancel_grace_s, self._agent_abandoned)
        else:
            await self._until(lambda: self._said)  # what it raised, and did, is known by then
        self._playout.end()
        self._composed = True
        self._news.ring()

    def _failed(self, error: Exception) -> None:
        """Take in what part of the work raised: it costs this reply and no more."""
        self.error = self.error or describe(error)
        if isinstance(error, ModelError) and error.fault == "busy":
            self._stage.busy(_BUSY_S if error.retry_after_s is None else error.retry_after_s)
        log.error("reply.failed", reply=self.reply, error=describe(error), exc_info=error)
        error.__traceback__ = None  # it leads here, by way of the task that keeps the error

    def _agent_ended(self, _: object) -> None:
        if isinstance(error := self._speaking.error, Exception):  # agents may raise anything
            self._failed(error)
        self._script.end()  # which an agent that never began has not done
        self._said = True
        self._news.ring()

    def _agent_abandoned(self) -> None:
        self._stage.note(AgentStuck(self.reply))
        self._tell_abandoned("agent")

    def _voice_abandoned(self) -> None:
        self._tell_abandoned("voice")

    def _tell_abandoned(self, who: str) -> None:
        log.error(
            "reply.abandoned",
            reply=self.reply,
            grace_s=self._stage.settings.cancel_grace_s,
            advice=f"the {who} swallows cancellation; let asyncio.CancelledError pass",
        )

    async def _listen_to_agent(self) -> None:
        """Pass on what the agent yields, up to the length a reply may have."""
        left = self._stage.settings.max_reply_chars
        try:
            _check_generator(self._speech)
            async with aclosing(self._speech) as speech:
                async for piece in speech:
                    if self._silenced:
                        return  # it swallowed its cancellation, and nobody listens any more
                    if isinstance(piece, str):
                        await self._script.write(piece[:left])
                        left -= len(piece)
                    elif isinstance(piece, Audio):
                        await self._script.write(piece)
                    else:
                        raise TypeError(
                            f"reply() yielded {type(piece).__name__}; yield str or turnkit.Audio"
                        )
                    if left < 0:
                        log.warning("reply.cut", reply=self.reply, excess_characters=-left)
                        return
        finally:
            self._script.end()

    async def _voice(self) -> None:
        """Turn lines into staged audio, as far as there is room for it."""
        while (line := await self._script.next()) is not None:
            match line:
                case str() as clause:
                    await self._say(clause)
                case Audio() as audio:
                    await self._sound(audio)
                case _:
                    assert_never(line)

    async def _say(self, clause: str) -> None:
        if self._silenced:
            return
        self._stage.note(ReplyWorded(self.reply, clause))
        self._playout.open_clause(clause)
        if text := speakable(clause):
            if self._stage.settings.speculate != "llm+tts":
                await self._until(lambda: self._released)
            self._stage.note(ReplySpent(self.reply, characters=len(text)))
            if not self._released:
                self._stage.spent(0, len(text))
            rate = self._rate()
            async with aclosing(self._stage.voice.speak(text)) as audio:
                async for piece in audio:
                    match piece:
                        case Mark(character):
                            self._playout.mark(character / len(text))
                        case pcm:
                            await self._put(rate.feed(samples_of(pcm)).tobytes() if rate else pcm)
            if rate is not None:
                await self._put(rate.flush().tobytes())
        self._playout.close_clause()

    def _rate(self) -> Resampler | None:
        """Return what makes the far end's rate of the voice's, if it is another."""
        voice_hz, wanted_hz = self._stage.voice.sample_rate_hz, self._stage.transport.outgoing_hz
        return None if voice_hz == wanted_hz else Resampler(voice_hz, wanted_hz)

    async def _sound(self, audio: Audio) -> None:
        self._stage.note(ReplyWorded(self.reply, audio.text))
        self._playout.open_clause(audio.text)
        rate = Resampler(audio.sample_rate_hz, self._stage.transport.outgoing_hz)
        await self._put(rate.feed(samples_of(audio.pcm)).tobytes() + rate.flush().tobytes())
        self._playout.close_clause()

    async def _put(self, pcm: bytes) -> None:
        """Stage audio, and wait while more is staged than the settings allow."""
        if len(pcm) % 2:
            raise ValueError(f"audio of {len(pcm)} bytes; a sample has 2")
        if pcm and not self._playout.has_audio:
            self._stage.note(ReplyReady(self.reply))
        self._playout.stage(pcm)
        self._send_due()  # not in a moment: a voice that has it all at hand does not pause for us
        self._news.ring()
        while self._playout.waiting_s > self._stage.settings.staged_audio_s:
            await self._room.wait()

    async def _play(self) -> ReplyEvent | None:
        """Send audio as it falls due, until the user has heard all; return how it went.

        None if it was cancelled.
        """
        while not (self._released or self._cancelled):
            if self.error is not None:
                return ReplyFailed(self.reply, self.error)
            await self._news.wait()  # the draft's fate is the turn machine's to decide
        while not self._cancelled:
            self._send_due()
            if self._paused:
                await self._news.wait()
                continue
            now = clock.now()
            if self._composed and (self._playout.finished(now) or not self._playout.has_audio):
                return self._outcome()
            if now >= self._starved_at():
                self._silenced = True
                return ReplyFailed(self.reply, "it stopped in mid-reply")
            await self._news.wait(min(clock.tick(self._playout.next_at()), self._starved_at()))
        return None

    def _starved_at(self) -> float:
        """Return when a reply that has begun to sound counts as broken down, for want of more."""
        if not self._started or self._composed or self._playout.waiting_s:
            return inf
        return self._playout.silent_at + self._stage.settings.reply_deadline_s

    def _outcome(self) -> ReplyEvent:
        if self.error is not None:
            return ReplyFailed(self.reply, self.error)
        if self._playout.has_audio:
            return PlayoutFinished(self.reply)
        return ReplyDeclined(self.reply)

    def _send_due(self) -> None:
        """Hand over what may leave now. The one place where a reply becomes audible."""
        if self._silenced or self._paused or not self._released:
            return
        frames = self._playout.due(clock.now())
        for frame in frames:
            self._stage.transport.play(self.reply, frame)
        if frames:
            self._room.ring()
            if not self._started:
                self._started = True
                self._stage.report(PlayoutStarted(self.reply))
        if self._started and self._playout.all_sent and not self._all_sent:
            self._all_sent = True
            self._stage.transport.finish(self.reply)

    async def _until(self, holds: Callable[[], bool]) -> None:
        while not holds():
            await self._news.wait()


def _check_generator(speech: object) -> None:
    """Raise TypeError for what an agent's `reply` must not return, in words for who wrote it."""
    if hasattr(speech, "aclose"):
        return
    if isinstance(speech, Coroutine):
        speech.close()  # or Python would complain that nobody awaited it
    raise TypeError(
        f"reply() returned {type(speech).__name__}; write it as an async generator: "
        "async def reply(self, turn): yield ..."
    )


def describe(error: Exception) -> str:
    """Say in one line what was raised."""
    return f"{type(error).__name__}: {error}".partition("\n")[0][:200]
