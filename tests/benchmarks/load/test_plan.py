"""What the Flux plays."""

from itertools import pairwise

from benchmarks.load.plan import CASES, DEFAULT_CASES, Plan


def test_every_call_begins_at_another_place_of_the_same_cycle():
    plan = Plan(turns=6)
    assert [plan.order(call)[0] for call in range(6)] == list(DEFAULT_CASES)
    assert sorted(plan.order(3)) == sorted(DEFAULT_CASES)


def test_what_comes_after_a_barge_in_is_counted_apart():
    order = Plan(turns=30).order(0)
    assert all(second == "after" for first, second in pairwise(order) if first == "barge")


def test_a_call_is_long_enough_for_its_turns():
    plan = Plan(turns=12)
    longest = max(sum(map(plan.length_s, plan.order(call))) for call in range(6))
    assert plan.call_s >= plan.lead_in_s + plan.normal_s + longest


def test_every_turn_is_over_before_the_next_begins():
    for case in CASES.values():
        times = [step.at_s for step in case.steps]
        assert times == sorted(times)
        assert case.end_s < case.length_s
