"""The embedded engine as an endpoint."""

import numpy as np

from benchmarks.turns.hearings import endless
from benchmarks.turns.local import LocalEndpoint
from benchmarks.turns.manifest import load_pack
from turnkit.sources.flux_query import ListenParameters
from turnkit.sources.flux_wire import TurnInfo

ASKED = ListenParameters("flux-general-en", "linear16", 16000, eager_eot_threshold=0.5)


def named(heard):
    return [m.event for m in heard.messages if isinstance(m, TurnInfo) and m.event != "Update"]


def a_question(shared):
    """Return "how old is the brooklyn bridge", of 2.1 to 3.7 s."""
    (clip,) = [r for r in load_pack(shared / "audio") if r.id == "google_brooklyn_padded"]
    return clip.read()


def test_a_question_is_one_turn_and_its_confidence_is_known_every_80_ms(shared):
    heard = LocalEndpoint("none").hear(a_question(shared), ASKED)
    assert (named(heard)[0], named(heard)[-1]) == ("StartOfTurn", "EndOfTurn")
    np.testing.assert_allclose(np.diff(heard.trace.times_s)[:-1], 0.08)
    assert heard.trace.values[heard.trace.times_s > 3.0].max() >= 0.7


def test_an_endless_turn_ends_when_it_is_told_to_and_its_confidence_goes_on(shared):
    endpoint = LocalEndpoint("none")
    heard = endpoint.hear(a_question(shared), endless(ASKED), [5.0])
    (end,) = [m for m in heard.messages if isinstance(m, TurnInfo) and m.event == "EndOfTurn"]
    assert end.trigger == "manual"
    assert abs(end.audio_window_end - 5.0) < 0.08
    before = heard.trace.values[(heard.trace.times_s > 4.0) & (heard.trace.times_s < 4.9)]
    assert (np.diff(before) >= 0).all()


def test_memory_changes_nothing(shared):
    samples = a_question(shared)
    endpoint = LocalEndpoint("none")
    first = endpoint.hear(samples, ASKED)
    endpoint.hear(samples, endless(ASKED))
    again = endpoint.hear(samples, ASKED)
    assert again.messages == first.messages == LocalEndpoint("none").hear(samples, ASKED).messages
