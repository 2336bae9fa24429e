"""Orders: in full, one at a time, put together while they wait, and never half in force."""

import pytest

from turnkit.errors import SourceLost
from turnkit.sources.base import Change, ConfigureRefused
from turnkit.sources.flux.orders import Orders
from turnkit.sources.flux_query import ListenParameters
from turnkit.sources.flux_wire import Configure, Thresholds

ENGLISH = ListenParameters(
    "flux-general-en", "linear16", 16000, eager_eot_threshold=0.4, keyterms=("pear",)
)
MULTILINGUAL = ListenParameters("flux-general-multi", "linear16", 16000, language_hints=("en",))
REFUSED = ConfigureRefused("INVALID_THRESHOLD", "no")


def connected(parameters=ENGLISH):
    orders = Orders(parameters)
    orders.connected()
    return orders


def test_an_order_carries_everything_that_is_in_force():
    orders = connected()
    orders.ask(Change(eot_threshold=0.8))
    assert orders.next() == Configure(Thresholds(0.4, 0.8, 5000), ("pear",))


def test_only_a_multilingual_model_is_told_of_languages():
    orders = connected(MULTILINGUAL)
    orders.ask(Change(keyterms=("Birne",)))
    assert orders.next() == Configure(Thresholds(None, 0.7, 5000), ("Birne",), ("en",))


def test_before_there_is_a_connection_it_is_opened_with_the_change():
    orders = Orders(ENGLISH)
    assert orders.ask(Change(eot_timeout_ms=900)) == orders.settled == 1
    assert orders.active.eot_timeout_ms == 900
    orders.connected()
    assert orders.next() is None


def test_only_one_is_unanswered_and_those_that_wait_go_together():
    orders = connected()
    orders.ask(Change(eot_threshold=0.8))
    assert orders.next() is not None
    orders.ask(Change(eot_threshold=0.9, keyterms=()))
    orders.ask(Change(eot_timeout_ms=700))
    assert orders.next() is None
    assert orders.unanswered
    orders.succeeded()
    assert orders.settled == 1
    assert orders.next() == Configure(Thresholds(0.4, 0.9, 700), ())
    orders.succeeded()
    assert (orders.settled, orders.unanswered) == (3, False)
    assert (orders.active.eot_threshold, orders.active.eot_timeout_ms) == (0.9, 700)


def test_what_is_refused_leaves_everything_as_it_was():
    orders = connected()
    number = orders.ask(Change(eot_threshold=0.8))
    orders.next()
    orders.ask(Change(eot_timeout_ms=700))
    orders.failed(REFUSED)
    assert orders.active == ENGLISH
    assert orders.outcome(number) is REFUSED
    assert orders.outcome(number) is None  # told once
    assert orders.next() == Configure(Thresholds(0.4, 0.7, 700), ("pear",))


def test_what_made_sense_only_with_what_was_refused_is_refused_too():
    orders = connected()
    orders.ask(Change(eot_threshold=0.9))
    orders.next()
    number = orders.ask(Change(eager_eot_threshold=0.8))
    orders.failed(REFUSED)
    assert orders.settled == number
    assert orders.outcome(number).code == "INVALID_THRESHOLD"
    assert orders.next() is None


def test_what_was_sent_on_a_lost_connection_is_sent_again():
    orders = connected()
    orders.ask(Change(eot_threshold=0.8))
    orders.next()
    orders.ask(Change(eot_timeout_ms=700))
    orders.connected()
    assert orders.settled == 0
    assert orders.next() == Configure(Thresholds(0.4, 0.8, 700), ("pear",))


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (Change(eot_threshold=0.3), "INVALID_THRESHOLD"),
        (Change(eager_eot_threshold=0.8), "INVALID_THRESHOLD"),  # above the 0.7 in force
        (Change(keyterms=(" ",)), "INVALID_PARAMETER"),
        (Change(language_hints=("en",)), "INVALID_PARAMETER"),
    ],
)
def test_what_flux_would_refuse_is_not_even_sent(change, code):
    orders = connected()
    with pytest.raises(ConfigureRefused) as caught:
        orders.ask(change)
    assert caught.value.code == code
    assert orders.next() is None


def test_a_change_is_held_against_those_that_wait():
    orders = connected()
    orders.ask(Change(eot_threshold=0.9))
    orders.ask(Change(eager_eot_threshold=0.8))
    assert orders.next() == Configure(Thresholds(0.8, 0.9, 5000), ("pear",))


def test_an_answer_to_nothing_changes_nothing():
    orders = connected()
    orders.succeeded()
    orders.failed(REFUSED)
    assert (orders.settled, orders.active) == (0, ENGLISH)


def test_when_the_source_is_gone_nobody_waits_for_it():
    orders = connected()
    numbers = [orders.ask(Change(eot_threshold=0.8)), orders.ask(Change(eot_threshold=0.9))]
    orders.next()
    orders.abandon(SourceLost("gone"))
    assert orders.settled == 2
    assert [str(orders.outcome(number)) for number in numbers] == ["gone", "gone"]
