"""The engine from the outside: audio and orders in, Flux's messages out."""

from itertools import pairwise

import pytest
from structlog.testing import capture_logs

from turnkit.engine import engine as engines
from turnkit.engine.engine import open_engine
from turnkit.recognizers import auto
from turnkit.sources.flux_query import ListenParameters
from turnkit.sources.flux_wire import (
    CloseStream,
    Configure,
    ConfigureFailure,
    ConfigureSuccess,
    Connected,
    FluxError,
    FluxWarning,
    ForceEndTurn,
    Thresholds,
    TurnInfo,
    encode,
)
from turnkit.testing.ears import silence, speech, told
from turnkit.testing.flux_rules import violations


def test_connected_comes_first(connected):
    engine = open_engine(ListenParameters("flux-general-en", "linear16", 16000), "r-1")
    assert engine.connected() == Connected(request_id="r-1", sequence_id=0)


def test_a_plain_turn(connected):
    assert told(connected().feed(silence(0.24) + speech(0.96) + silence(1.2)), updates=True) == [
        ("Update", 0.24, ""),
        ("StartOfTurn", 0.32, "..."),
        ("Update", 0.48, "one"),
        ("Update", 0.72, "one two"),
        ("Update", 0.96, "one two three"),
        ("Update", 1.2, "one two three four"),
        ("Update", 1.44, "one two three four"),
        ("Update", 1.68, "one two three four"),
        ("Update", 1.92, "one two three four"),
        ("EndOfTurn", 2.16, "one two three four"),
        ("Update", 2.4, ""),
    ]


def test_two_drafts(connected):
    engine = connected(eager_eot_threshold=0.4)
    heard = speech(0.96) + silence(0.56) + speech(0.48) + silence(1.2)
    assert told(engine.feed(heard)) == [
        ("StartOfTurn", 0.16, "..."),
        ("EagerEndOfTurn", 1.28, "one two three four"),
        ("TurnResumed", 1.6, "one two three four"),
        ("EagerEndOfTurn", 2.4, "one two three four one two"),
        ("EndOfTurn", 2.96, "one two three four one two"),
    ]


def test_a_forced_end_over_an_announced_one(connected):
    engine = connected(eager_eot_threshold=0.4)
    engine.feed(speech(0.96) + silence(0.48))
    (end,) = engine.handle(ForceEndTurn())
    assert (end.event, end.trigger, end.transcript) == ("EndOfTurn", "manual", "one two three four")
    (warning,) = engine.handle(ForceEndTurn())
    assert isinstance(warning, FluxWarning)
    assert warning.code == "FORCE_END_TURN_NO_ACTIVE_TURN"


def test_who_speaks_on_after_a_forced_end_begins_the_next_turn(connected):
    engine = connected()
    engine.feed(speech(0.96))
    engine.handle(ForceEndTurn())
    assert told(engine.feed(speech(0.48) + silence(1.2))) == [
        ("StartOfTurn", 1.12, "..."),
        ("EndOfTurn", 2.4, "one two"),
    ]


def test_a_timeout(connected):
    engine = connected(eot_threshold=0.9, eot_timeout_ms=1000)
    end = engine.feed(speech(0.96) + silence(1.2))[-2]
    assert (end.event, end.trigger) == ("EndOfTurn", "timeout")
    assert end.end_of_turn_confidence < 0.9
    assert end.audio_window_end == 1.92  # 60 ms of the second are what detectors take for a tail


def test_speech_starts_the_timeout_anew(connected):
    engine = connected(eot_threshold=1.0, eot_timeout_ms=1000)
    heard = (speech(0.48) + silence(0.88)) * 3
    assert [event for event, _, _ in told(engine.feed(heard))] == ["StartOfTurn"]


def test_without_audio_nothing_is_said(connected):
    engine = connected()
    engine.feed(speech(0.96))
    assert engine.feed(b"") == []
    assert told(engine.feed(silence(5.0)))[0][0] == "EndOfTurn"


def test_the_close_tells_the_last_words_and_ends_no_turn(connected):
    engine = connected()
    engine.feed(speech(0.64))
    (update,) = engine.handle(CloseStream())
    assert (update.event, update.transcript) == ("Update", "one two three")
    assert engine.feed(speech(1.0)) == []
    assert engine.handle(ForceEndTurn()) == []


def test_a_close_without_news_says_nothing(connected):
    engine = connected()
    engine.feed(silence(1.0))
    assert engine.handle(CloseStream()) == []


def test_a_failing_stream_says_why_and_no_more(connected):
    engine = connected()
    assert engine.fail("CODE", "why") == FluxError(1, "CODE", "why")
    assert engine.feed(silence(1.0)) == []


def test_new_thresholds_are_confirmed_as_a_whole_and_hold(connected):
    engine = connected(eager_eot_threshold=0.4, keyterms=("turnkit",))
    change = Configure(Thresholds(eot_timeout_ms=500), numerals=True)
    (done,) = engine.handle(change)
    assert isinstance(done, ConfigureSuccess)
    assert encode(done) == (
        '{"type":"ConfigureSuccess","thresholds":{"eager_eot_threshold":0.4,"eot_threshold":0.7,'
        '"eot_timeout_ms":500},"keyterms":["turnkit"],"request_id":"request","sequence_id":1,'
        '"numerals":true}'
    )
    assert told(engine.feed(speech(0.96) + silence(0.6)))[-1][:2] == ("EndOfTurn", 1.44)


def test_a_refused_change_changes_nothing(connected):
    engine, untouched = connected(), connected()
    bad = Configure(Thresholds(eager_eot_threshold=0.8, eot_timeout_ms=500), keyterms=("new",))
    (refused,) = engine.handle(bad)
    assert isinstance(refused, ConfigureFailure)
    assert refused.code == "INVALID_THRESHOLD"
    heard = speech(0.96) + silence(2.0)
    assert told(engine.feed(heard)) == told(untouched.feed(heard))


def test_manual_turns_end_by_order_only(connected):
    engine = connected(eot_threshold=1.0, eot_timeout_ms=60000)
    assert told(engine.feed(speech(0.96) + silence(20.0)))[1:] == []
    assert engine.handle(ForceEndTurn())[0].trigger == "manual"


def test_numbers_are_as_short_as_fluxs(connected):
    infos = connected().feed(speech(0.96) + silence(30.0))
    ends = [info.audio_window_end for info in infos]
    assert ends == [float(f"{end:.2f}") for end in ends]  # 0.08 * 30 would be 2.4000000000000004
    for info in infos:
        assert info.end_of_turn_confidence == round(info.end_of_turn_confidence, 4)


def test_a_multilingual_stream_names_its_languages_every_time(connected):
    engine = connected(model="flux-general-multi", language_hints=("de",))
    infos = engine.feed(silence(0.24) + speech(0.48))
    assert [(info.languages, info.languages_hinted) for info in infos[:2]] == [
        ((), ("de",)),
        (("en",), ("de",)),
    ]
    (done,) = engine.handle(Configure(language_hints=()))
    assert done.language_hints == ()


@pytest.mark.parametrize("eager", [None, 0.3, 0.5])
@pytest.mark.parametrize("eot", [0.5, 0.7, 0.9, 1.0])
def test_the_rules_hold_at_every_threshold(connected, eager, eot):
    engine = connected(eager_eot_threshold=eager, eot_threshold=eot, eot_timeout_ms=1500)
    messages = [Connected("request", 0)]
    for n in range(1, 25):
        messages += engine.feed(speech(0.12 * (n % 5)) + silence(0.07 * (n % 17)))
        messages += engine.handle(ForceEndTurn()) if n % 7 == 0 else []
    messages += engine.handle(CloseStream())
    assert violations(messages, eager=eager is not None) == []


@pytest.mark.parametrize("encoding", ["linear16", "linear32", "mulaw", "alaw"])
def test_the_rules_hold_on_any_bytes(connected, encoding):
    engine = connected(encoding=encoding, sample_rate_hz=8000)
    messages = [Connected("request", 0), *engine.feed(bytes(range(256)) * 300)]
    messages += engine.feed(b"\x00") + engine.handle(CloseStream())
    assert violations(messages, eager=False) == []


def test_how_the_audio_is_cut_changes_nothing(connected):
    heard = speech(0.96) + silence(1.5) + speech(0.48)
    whole = connected().feed(heard)
    engine = connected()
    assert [m for byte in pairs(heard, 3333) for m in engine.feed(byte)] == whole


def pairs(data, size):
    ends = [*range(0, len(data), size), len(data)]
    return [data[start:end] for start, end in pairwise(ends)]


def test_every_message_can_be_sent(connected):
    engine = connected(model="flux-general-multi")
    for message in engine.feed(speech(0.96) + silence(2.0)):
        assert isinstance(message, TurnInfo)
        assert '"type":"TurnInfo"' in encode(message)


def test_what_is_missing_is_said_once_for_each_stream(monkeypatch):
    said = []
    monkeypatch.setattr(engines.log, "warning", lambda event, **_: said.append(event))
    monkeypatch.setattr(engines, "silero_installed", lambda: False)
    monkeypatch.setattr(auto, "pocketsphinx_installed", lambda: False)
    monkeypatch.setattr(auto.log, "warning", lambda event, **_: said.append(event))
    open_engine(ListenParameters("flux-general-en", "linear16", 16000), "r")
    assert said == ["engine.vad_missing", "engine.words_missing"]


def test_how_loud_a_stream_was_is_logged_at_its_end(connected):
    engine = connected()
    engine.feed(speech(1.0) + silence(1.0))
    with capture_logs() as logged:
        engine.handle(CloseStream())
    (entry,) = (entry for entry in logged if entry["event"] == "engine.heard")
    assert (entry["peak_dbfs"], entry["clipped_samples"]) == (-30.3, 0)
