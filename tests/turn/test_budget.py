"""Speculation stays within its limits, and pauses when it guesses ill."""

from turnkit.turn.budget import Budget, Limits


def test_so_many_drafts_a_minute_and_then_it_waits():
    budget = Budget(Limits(drafts_per_minute=2))
    budget.started(0.0)
    budget.started(10.0)
    assert budget.refusal(59.9) == "limit of drafts a minute"
    assert budget.refusal(60.0) is None


def test_a_limit_by_the_call_does_not_pass():
    budget = Budget(Limits(drafts_per_call=1))
    budget.started(0.0)
    assert budget.refusal(9999.0) == "limit of drafts a call"


def test_tokens_and_characters_have_limits_of_their_own():
    budget = Budget(Limits(tokens_per_minute=100, characters_per_call=50))
    budget.spent(0.0, tokens=100)
    assert budget.refusal(1.0) == "limit of tokens a minute"
    budget.spent(70.0, characters=50)
    assert budget.refusal(200.0) == "limit of characters a call"


def test_guessing_pauses_when_too_few_drafts_are_heard_and_goes_on_later():
    budget = Budget(Limits(min_hit_rate=0.3, window=4, pause_s=30))
    for heard in (True, False, False, False):
        assert budget.refusal(10.0) is None
        budget.resolved(10.0, heard=heard)
    assert budget.refusal(39.9) == "too few drafts are heard"
    assert budget.refusal(40.0) is None


def test_a_good_guesser_is_never_paused():
    budget = Budget(Limits(min_hit_rate=0.3, window=4))
    for heard in (True, False, True, False) * 5:
        budget.resolved(0.0, heard=heard)
    assert budget.refusal(0.0) is None


def test_a_provider_that_is_busy_is_left_in_peace():
    budget = Budget()
    budget.pause(10.0)
    budget.pause(5.0)
    assert budget.refusal(9.9) == "a provider is busy"
    assert budget.refusal(10.0) is None
