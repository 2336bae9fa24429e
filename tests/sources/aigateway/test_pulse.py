"""When a connection that says nothing is given up."""

from turnkit.sources.aigateway.pulse import MUTE_S, Pulse


def beating(times, **options):
    """A connection with a message at each of these instants, into silence."""
    pulse = Pulse(0.0, 3.0)
    for now in times:
        pulse.hear(now, idle=True, words=False, **options)
    return pulse


def test_a_service_that_speaks_into_silence_is_steady():
    assert beating([0.25, 0.5, 0.75, 1.0]).steady
    assert not beating([0.25, 0.5, 0.75]).steady
    assert not beating([1.0, 2.0, 3.0, 4.0, 5.0]).steady


def test_a_steady_service_that_stops_is_suspected_and_then_dead():
    pulse = beating([0.25, 0.5, 0.75, 1.0])
    assert not pulse.suspect(2.1)
    assert pulse.suspect(2.3)
    assert not pulse.dead(3.9)
    assert pulse.dead(4.0)


def test_another_service_may_be_silent_for_as_long_as_nobody_speaks():
    pulse = beating([1.0])
    pulse.wait(600.0, idle=True)
    assert not pulse.suspect(601.0)
    assert not pulse.dead(601.0)


def test_a_service_that_has_told_words_may_not_be_silent_while_somebody_speaks():
    pulse = Pulse(0.0, 3.0)
    pulse.hear(1.0, idle=False, words=True)
    pulse.wait(2.9, idle=False)
    assert not pulse.dead(3.9)
    pulse.wait(0.1, idle=False)
    assert pulse.dead(4.0)


def test_a_service_that_has_not_gets_longer_for_it_may_be_noise():
    pulse = Pulse(0.0, 3.0)
    pulse.wait(MUTE_S - 0.1, idle=False)
    assert not pulse.dead(8.0)
    pulse.wait(0.2, idle=False)
    assert pulse.dead(8.1)
