"""Our own voice, coming back: known at any delay and level, and never mistaken for a user's."""

import numpy as np
import pytest

from turnkit.audio.echo import EchoGuard
from turnkit.audio.resample import resample
from turnkit.testing.babble import babble, echo

RATE_HZ = 16000
CHUNK, HOP = 1280, 320
LEAD = 10  # hops that are sent ahead, as playout does
SECONDS = 6.0
ONSET_S = 0.4  # the agent's first syllable comes a little before
LIMIT = 0.85


@pytest.fixture(scope="module")
def agent():
    return babble(1, SECONDS)


@pytest.fixture(scope="module")
def user():
    return babble(2, SECONDS)


def heard(guard, far, near):
    """Run both directions; return the share of echo after each 80 ms."""
    frames = far.reshape(-1, HOP)
    sent, shares = 0, []
    for start in range(0, len(near) // CHUNK * CHUNK, CHUNK):
        until = start // HOP + LEAD
        for frame in frames[sent:until]:
            guard.played(frame.astype("<i2").tobytes())
        sent = max(sent, until)
        shares.append(guard.hear(near[start : start + CHUNK], CHUNK // HOP))
    return np.array(shares)


@pytest.mark.parametrize("delay_s", [0.02, 0.1, 0.25, 0.4, 0.6])
@pytest.mark.parametrize("decibels", [-6, -18, -30])
def test_an_echo_is_known_within_a_second_of_its_beginning(agent, delay_s, decibels):
    guard = EchoGuard()
    shares = heard(guard, agent, echo(agent, delay_s, decibels))
    assert guard.delay_s == pytest.approx(delay_s, abs=0.021)
    known = shares[round((ONSET_S + delay_s + 1.0) / 0.08) :]
    sounding = known[known > 0]
    assert len(sounding) >= 35
    assert np.mean(sounding >= LIMIT) >= 0.95


@pytest.mark.parametrize("seed", range(2, 12))
def test_another_voice_is_no_echo(agent, seed):
    guard = EchoGuard()
    assert heard(guard, agent, babble(seed, SECONDS)).max() < LIMIT
    assert guard.delay_s is None


@pytest.mark.parametrize("decibels", [-12, -18, -30])
def test_who_speaks_over_an_echo_is_no_echo(agent, user, decibels):
    near = echo(agent, 0.2, decibels)
    near[3 * RATE_HZ : 5 * RATE_HZ] += user[: 2 * RATE_HZ]
    shares = heard(EchoGuard(), agent, near)
    before, during = shares[25:37], shares[42:62]
    assert np.mean(before >= LIMIT) >= 0.9
    assert np.mean(during < LIMIT) >= 0.8


def test_an_echo_that_goes_away_is_forgotten(agent, user):
    guard = EchoGuard()
    heard(guard, agent, echo(agent, 0.2, -12))
    assert guard.delay_s is not None
    heard(guard, agent, user)
    assert guard.delay_s is None


def test_while_nothing_is_played_nothing_is_an_echo(user):
    guard = EchoGuard()
    assert not heard(guard, np.zeros(0, np.int16), user).any()
    assert not guard.playing


def test_the_agent_is_audible_while_it_speaks_and_a_moment_longer(agent):
    guard = EchoGuard()
    for _ in range(20):
        guard.played(np.resize([3000] * 8 + [-3000] * 8, HOP).astype("<i2").tobytes())
    audible = []
    for _ in range(12):
        guard.hear(np.zeros(CHUNK, np.int16), 4)
        audible.append(guard.playing)
    assert audible == [True] * 7 + [False] * 5


def test_what_is_silenced_is_not_audible(agent):
    guard = EchoGuard()
    for frame in agent[: 100 * HOP].reshape(-1, HOP):
        guard.played(frame.tobytes())
    guard.hear(np.zeros(CHUNK, np.int16), 4)
    guard.silenced()
    for _ in range(4):
        guard.hear(np.zeros(CHUNK, np.int16), 4)
    assert not guard.playing


def test_the_agent_may_pause_between_sentences_but_not_for_ever():
    guard = EchoGuard()
    sounding = np.resize([3000] * 8 + [-3000] * 8, HOP).astype("<i2").tobytes()
    for frame in [sounding] * 4 + [bytes(2 * HOP)] * 100:
        guard.played(frame)
    audible = []
    for _ in range(20):
        guard.hear(np.zeros(CHUNK, np.int16), 4)
        audible.append(guard.playing)
    assert audible == [True] * 13 + [False] * 7


def test_silence_that_is_played_is_not_audible():
    guard = EchoGuard()
    for _ in range(20):
        guard.played(bytes(2 * HOP))
    guard.hear(np.zeros(CHUNK, np.int16), 4)
    assert not guard.playing


def test_no_more_is_kept_than_can_matter(agent):
    guard = EchoGuard()
    for _ in range(100):
        for frame in agent[: 20 * HOP].reshape(-1, HOP):
            guard.played(frame.tobytes())
    for _ in range(34):
        guard.hear(np.zeros(CHUNK, np.int16), 4)
    assert not guard.playing


@pytest.mark.parametrize("rate_hz", [8000, 24000, 48000])
def test_what_is_played_may_have_another_rate(agent, rate_hz):
    guard = EchoGuard()
    far = resample(agent, RATE_HZ, rate_hz)
    size = rate_hz // 50
    near = echo(agent, 0.2, -12)
    for n, start in enumerate(range(0, len(near), CHUNK)):
        for frame in far[n * 4 * size : (n + 1) * 4 * size].reshape(-1, size):
            guard.played(frame.tobytes())
        share = guard.hear(near[start : start + CHUNK], 4)
    assert share >= LIMIT


def test_a_shorter_last_frame_is_as_good_as_any(agent):
    guard = EchoGuard()
    for size in (640, 640, 200, 640):
        guard.played(np.resize([3000] * 8 + [-3000] * 8, size // 2).astype("<i2").tobytes())
    guard.hear(np.zeros(CHUNK, np.int16), 4)
    assert guard.playing
