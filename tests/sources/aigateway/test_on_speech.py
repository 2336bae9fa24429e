"""Real speech: turns by our own ears on the recording, words timed by its labels."""

import json

import pytest

from turnkit.audio.files import read_audio
from turnkit.audio.vad import silero_installed
from turnkit.sources.aigateway.source import open_ears
from turnkit.testing.aigateway_server import aigateway_server
from turnkit.turn.events import EndOfTurn, StartOfTurn

pytestmark = [
    pytest.mark.anyio,
    pytest.mark.network,
    pytest.mark.skipif(not silero_installed(), reason="needs the extra `local`"),
]


@pytest.fixture
def clip(shared):
    """Read a clip: its audio, its labels, and its words spread over its stretches of speech."""
    pytest.importorskip("soundfile")

    def read(name):
        manifest = json.loads((shared / "audio" / "manifest.json").read_text())
        (entry,) = [clip for clip in manifest["clips"] if clip["file"] == f"{name}.flac"]
        (turn,) = entry["labels"]["turns"]
        words = entry["transcript"].split()
        samples = read_audio(shared / "audio" / entry["file"], 16000)
        return samples.tobytes(), turn, words, spread(words, turn["ipus"])

    return read


def spread(words, stretches):
    """Give each word as much of the time spoken as the next."""
    each_s = sum(end - start for start, end in stretches) / len(words)
    script, passed_s = [], 0.0
    for start, end in stretches:
        while len(script) < len(words) and len(script) * each_s < passed_s + end - start:
            begin = start + len(script) * each_s - passed_s
            script.append((words[len(script)], begin, min(begin + each_s, end)))
        passed_s += end - start
    return script


async def test_a_question_is_one_turn_with_all_its_words(call, clip):
    audio, turn, words, script = clip("utterance/google_brooklyn_padded")
    async with aigateway_server(script=script) as server:
        called = await call(server.url, audio, 1, opened=open_ears)
    assert called.words == [" ".join(words)]
    assert called.when(StartOfTurn) - turn["start"] < 0.5
    assert 0.3 < called.when(EndOfTurn) - turn["end"] < 2.5


async def test_a_speech_with_long_pauses_loses_no_word_wherever_its_turns_end(call, clip):
    audio, turn, words, script = clip("utterance/jfk")
    async with aigateway_server(script=script) as server:
        called = await call(server.url, audio, 50, opened=open_ears, limit_s=turn["end"] + 5)
    assert " ".join(called.words).split() == words
    assert [event.turn for event in called.ends] == list(range(len(called.ends)))
