"""The schedule of tries, by instants: when, over which route, and when no more."""

import random

import pytest

from turnkit.sources.link.retries import Retries, RetryPolicy


def evenly():
    return 0.5  # no jitter either way


def tries(retries, now=0.0, fail_s=0.0):
    """Fail every try after so long; return when each began and over which route."""
    seen = [(round(now, 3), retries.route)]
    while (wait_s := retries.lost(now + fail_s, evenly)) is not None:
        now += fail_s + wait_s
        seen.append((round(now, 3), retries.route))
    return seen


def instants(retries, **how):
    return [at for at, _ in tries(retries, **how)]


def test_a_call_that_begins_tries_for_eight_seconds():
    retries = Retries(RetryPolicy(), 1, 0.0)
    assert instants(retries) == [0.0, 0.0, 0.2, 0.7, 1.7, 3.7, 5.7, 7.7]


def test_tries_that_take_long_are_fewer():
    assert instants(Retries(RetryPolicy(), 1, 0.0), fail_s=3.0) == [0.0, 3.0, 6.2]


def test_an_outage_has_its_own_deadline():
    retries = Retries(RetryPolicy(outage_s=3.0), 1, 0.0)
    retries.connected()
    wait_s = retries.lost(60.0, evenly)
    assert (wait_s, retries.deadline) == (0.0, 63.0)
    assert instants(retries, now=60.0) == [60.0, 60.2, 60.7, 61.7]


def test_after_a_connection_the_delays_begin_anew():
    retries = Retries(RetryPolicy(), 1, 0.0)
    waits = [retries.lost(0.0, evenly) for _ in range(3)]
    retries.connected()
    assert waits == [0.0, 0.2, 0.5]
    assert retries.lost(99.0, evenly) == 0.0


def test_the_jitter_is_a_fifth_either_way():
    waits = [
        Retries(RetryPolicy(delays_s=(1.0,)), 1, 0.0).lost(0.0, lambda chance=chance: chance)
        for chance in (0.0, 0.5, 1.0)
    ]
    assert waits == [0.8, 1.0, 1.2]


def test_two_hundred_calls_do_not_come_back_at_once():
    chance = random.Random(7).random
    retries = [Retries(RetryPolicy(), 1, 0.0) for _ in range(200)]
    for one in retries:
        one.lost(0.0, chance)
    waits = {round(one.lost(0.0, chance), 3) for one in retries}
    assert min(waits) >= 0.16
    assert max(waits) <= 0.24
    assert len(waits) > 70  # of 80 milliseconds


def test_the_next_route_is_asked_at_once_and_a_round_waits():
    retries = Retries(RetryPolicy(start_s=2.0), 2, 0.0)
    assert tries(retries) == [
        *((0.0, 0), (0.0, 1)),
        *((0.0, 0), (0.0, 1)),
        *((0.2, 0), (0.2, 1)),
        *((0.7, 0), (0.7, 1)),
        *((1.7, 0), (1.7, 1)),
    ]


def test_whoever_just_failed_is_asked_last():
    retries = Retries(RetryPolicy(), 3, 0.0)
    retries.connected()
    assert retries.lost(9.0, evenly) == 0.0
    assert retries.route == 1
    retries.connected()
    retries.lost(20.0, evenly)
    assert retries.route == 2


def test_who_asks_to_be_left_alone_is():
    retries = Retries(RetryPolicy(), 1, 0.0)
    assert retries.lost(0.0, evenly, 2.5) == 2.5


def test_who_asks_for_too_much_time_is_given_up():
    assert Retries(RetryPolicy(), 1, 0.0).lost(0.0, evenly, 8.1) is None


def test_who_need_not_be_left_alone_is_asked_instead():
    retries = Retries(RetryPolicy(), 2, 0.0)
    assert retries.lost(0.0, evenly, 5.0) == 0.0
    assert retries.route == 1
    assert retries.lost(0.0, evenly) == 0.0  # the other one still wants to be left alone
    assert retries.route == 1


def test_who_says_no_is_not_asked_again():
    retries = Retries(RetryPolicy(), 2, 0.0)
    assert retries.refused(0.0, evenly) == 0.0
    assert {route for _, route in tries(retries)} == {1}
    assert retries.refused(1.0, evenly) is None


def test_no_in_mid_call_is_an_outage_too():
    retries = Retries(RetryPolicy(), 2, 0.0)
    retries.connected()
    assert retries.refused(100.0, evenly) == 0.0
    assert retries.deadline == 112.0


@pytest.mark.parametrize(
    ("deaths_at", "given_up"),
    [
        ([0.0, 7.5, 15.0, 22.5, 30.0], True),
        ([0.0, 7.5, 15.0, 22.5, 30.1], False),
        ([0.0, 40.0, 41.0, 42.0, 43.0], False),
        ([0.0, 40.0, 41.0, 42.0, 43.0, 44.0], True),
        ([0.0, 1.0, 2.0, 3.0], False),
    ],
)
def test_five_connections_lost_in_half_a_minute_are_enough(deaths_at, given_up):
    retries = Retries(RetryPolicy(), 1, 0.0)
    for at in deaths_at:
        retries.connected()
        wait_s = retries.lost(at, evenly)
    assert (wait_s is None) is given_up


def test_tries_that_fail_are_no_lost_connections():
    retries = Retries(RetryPolicy(delays_s=(0.1,)), 1, 0.0)
    assert all(retries.lost(0.1 * n, evenly) for n in range(20))
