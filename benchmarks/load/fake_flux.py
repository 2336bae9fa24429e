"""A Flux that plays a plan: `/v2/listen`, without a recognizer (developers.deepgram.com/docs/flux).

Updates follow the audio that comes, four a second as the service has them; turns follow the clock.
"""

import asyncio
import random
from collections.abc import Callable
from itertools import accumulate
from urllib.parse import parse_qs, urlsplit

import msgspec
from picows import WSCloseCode, WSFrame, WSListener, WSMsgType, WSTransport

from benchmarks.load import codes
from benchmarks.load.journal import Journal
from benchmarks.load.plan import CASES, Plan, Step

UPDATE_S = 0.24
_SPREAD = 0.618034  # the golden ratio: any number of calls is spread evenly over a period
_JITTER_S = 0.02  # so that turns do not keep step with the 20 ms of the audio

Later = Callable[[], None]


class _Told(msgspec.Struct):
    type: str = ""


_told = msgspec.json.Decoder(_Told).decode


class FluxConnection(WSListener):
    """One connection: one call."""

    def __init__(self, path: str, plan: Plan, journal: Journal) -> None:
        query = parse_qs(urlsplit(path).query)
        width = 2 if query.get("encoding", ["linear16"])[0] == "linear16" else 1
        self._bytes_per_s = width * int(query.get("sample_rate", ["16000"])[0])
        self._eager = "eager_eot_threshold" in query
        self._plan = plan
        self._journal = journal
        self._heard_bytes = 0
        self._updates = 0
        self._sequence = 0
        self._turn = 0
        self._window_start_s = 0.0
        self._words = ""
        self._timer: asyncio.TimerHandle | None = None
        self._left: list[tuple[float, int, Step]] = []

    def on_ws_connected(self, transport: WSTransport) -> None:
        """Say so."""
        self._transport = transport
        self._call = self._journal.open("flux")
        self._say(f'{{"type":"Connected","request_id":"{self._call}","sequence_id":0}}')

    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
        """Take in audio, or an order."""
        match frame.msg_type:
            case WSMsgType.BINARY:
                self._hear(frame.payload_size)
            case WSMsgType.TEXT:
                if _told(frame.get_payload_as_bytes()).type == "CloseStream":
                    transport.send_close(WSCloseCode.OK)
                    transport.disconnect()
            case WSMsgType.CLOSE:
                transport.send_close(WSCloseCode.OK)
                transport.disconnect()

    def on_ws_disconnected(self, transport: WSTransport) -> None:  # noqa: ARG002
        """Stop."""
        self._journal.note("flux.gone", self._call)
        if self._timer is not None:
            self._timer.cancel()

    def _hear(self, size_bytes: int) -> None:
        if not self._heard_bytes:
            self._begin()
        self._heard_bytes += size_bytes
        if self._heard_s >= (self._updates + 1) * UPDATE_S:
            self._updates += 1
            self._tell("Update", 0.1)

    @property
    def _heard_s(self) -> float:
        return self._heard_bytes / self._bytes_per_s

    # The plan.

    def _begin(self) -> None:
        plan, chance = self._plan, random.Random(self._plan.seed * 7919 + self._call)
        order = plan.order(self._call)
        lengths = [plan.length_s(case) + chance.uniform(0, _JITTER_S) for case in order]
        first = plan.lead_in_s + (self._call * _SPREAD % 1.0) * plan.normal_s
        starts = accumulate(lengths[:-1], initial=asyncio.get_running_loop().time() + first)
        self._left = [
            (start + step.at_s, turn, step)
            for turn, (case, start) in enumerate(zip(order, starts, strict=True))
            for step in CASES[case].steps
            if self._eager or step.event not in ("EagerEndOfTurn", "TurnResumed")
        ][::-1]
        self._wait()

    def _wait(self) -> None:
        if self._left:
            loop = asyncio.get_running_loop()
            self._timer = loop.call_at(self._left[-1][0], self._play)

    def _play(self) -> None:
        _, turn, step = self._left.pop()
        self._turn = turn
        self._words = codes.words(self._call, turn, step.mode)
        self._journal.note("flux.sent", self._call, self._call, turn, step.event)
        self._tell(step.event, 0.8 if step.event == "EndOfTurn" else 0.4)
        if step.event == "EndOfTurn":
            self._turn, self._words = turn + 1, ""
            self._window_start_s = self._heard_s
        self._wait()

    def _tell(self, event: str, confidence: float) -> None:
        self._sequence += 1
        words = ",".join(f'{{"word":"{word}","confidence":0.99}}' for word in self._words.split())
        trigger = ',"trigger":"model"' if event == "EndOfTurn" else ""
        self._say(
            f'{{"type":"TurnInfo","request_id":"{self._call}","sequence_id":{self._sequence},'
            f'"event":"{event}","turn_index":{self._turn},'
            f'"audio_window_start":{self._window_start_s:.2f},'
            f'"audio_window_end":{self._heard_s:.2f},"transcript":"{self._words}",'
            f'"words":[{words}],"end_of_turn_confidence":{confidence}{trigger}}}'
        )

    def _say(self, text: str) -> None:
        self._transport.send(WSMsgType.TEXT, text.encode())
