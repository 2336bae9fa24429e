"""What a caller hears, and when it reports it."""

from benchmarks.load.ear import Ear
from benchmarks.load.records import Clear


def test_audio_is_played_one_piece_behind_the_other():
    ear = Ear()
    ear.hear(10.0, 1.0, b"a")
    ear.hear(10.1, 1.0, b"b")
    assert ear.mark(10.2, "both") == 12.0


def test_a_report_is_due_when_the_audio_before_it_is_played():
    ear = Ear()
    ear.hear(10.0, 1.0, b"a")
    ear.mark(10.0, "first")
    ear.hear(10.0, 1.0, b"b")
    ear.mark(10.0, "second")
    assert ear.reached(10.9) == []
    assert ear.reached(11.0) == ["first"]
    assert ear.reached(12.0) == ["second"]


def test_a_mark_behind_nothing_is_due_at_once():
    assert Ear().mark(10.0, "now") == 10.0


def test_clearing_ends_the_sound_and_releases_the_reports():
    ear = Ear()
    ear.hear(10.0, 1.0, b"a")
    ear.mark(10.0, "unheard")
    assert ear.clear(10.25) == ["unheard"]
    assert ear.clears == [Clear(10.25, 0.75)]
    assert ear.reached(20.0) == []
    assert ear.mark(10.3, "now") == 10.3
