"""Worse is told from chance, and bad rules from good ones."""

import pytest

from benchmarks.comparison import cells, compare, headline, parse_rule
from benchmarks.results import metric
from tests.benchmarks.conftest import drawn, result_of, suite
from turnkit.errors import ConfigError

RULE = "overhead.turnkit.p99>5%"


def judged(base, now, *rules):
    return compare(base, now, [parse_rule(rule) for rule in rules])


def test_the_same_figures_are_no_change(measured):
    (verdict,) = judged(measured(1), measured(1), RULE)
    assert (verdict.failed, verdict.differs, verdict.change) == (False, False, 0.0)


@pytest.mark.parametrize("seed", range(2, 12))
@pytest.mark.parametrize("rule", ["overhead>0%", "overhead.p99>0%", "overhead.mean>0ms"])
def test_noise_is_no_regression(measured, seed, rule):
    (verdict,) = judged(measured(1), measured(seed), rule)
    assert not verdict.failed


@pytest.mark.parametrize("rule", [RULE, "overhead>5%", "overhead.mean>0.1ms", "overhead.p999>1%"])
def test_a_real_regression_is_found_and_named(measured, rule):
    (verdict,) = judged(measured(1), measured(2, median=3.0), rule)
    assert verdict.failed
    assert verdict.low > 0.05 * verdict.base
    said = cells(verdict)
    assert said[0].startswith("overhead.turnkit.plain.overhead.p") or said[0].endswith("mean")
    assert said[-1] == f"WORSE than {rule}"


def test_a_change_within_the_limit_passes_and_is_told(measured):
    (verdict,) = judged(measured(1), measured(2, median=3.0), "overhead>80%")
    assert (verdict.failed, verdict.differs) == (False, True)


def test_an_improvement_passes(measured):
    (verdict,) = judged(measured(1), measured(2, median=1.0), "overhead>0%")
    assert (verdict.failed, verdict.differs) == (False, True)
    assert verdict.change < -0.4


def test_where_more_is_better_less_is_worse(measured):
    fewer = judged(measured(1, better="higher"), measured(2, median=1.0, better="higher"), RULE)
    more = judged(measured(1, better="higher"), measured(2, median=4.0, better="higher"), RULE)
    assert (fewer[0].failed, more[0].failed) == (True, False)


def test_what_is_exact_has_no_chance_in_it(measured):
    base, now = (
        result_of(suite("policy", metric("policy.waste", "$", [[value]], exact=True)))
        for value in (1.0, 1.01)
    )
    (verdict,) = judged(base, now, "policy>0%")
    assert verdict.failed
    assert cells(verdict)[4] == "exact"
    assert not judged(base, now, "policy>2%")[0].failed


def test_too_few_samples_tell_nothing():
    base, now = (
        result_of(suite("scale", metric("scale.cpu", "s", [[value]]))) for value in (1.0, 9.0)
    )
    (verdict,) = judged(base, now, "scale>5%")
    assert (verdict.failed, verdict.sure) == (False, False)
    assert headline([verdict]).endswith("0 worse than allowed, 1 of too few samples to tell")


def test_a_run_that_is_unlike_the_others_widens_the_interval():
    steady = result_of(suite("micro", metric("micro.step", "us", drawn(1, 2.0, runs=4))))
    one_slow = drawn(2, 2.0, runs=3) + drawn(3, 3.0, runs=1)
    now = result_of(suite("micro", metric("micro.step", "us", one_slow)))
    (verdict,) = judged(steady, now, "micro.mean>0%")
    assert verdict.now > verdict.base
    assert not verdict.failed


def test_without_rules_all_that_both_have_is_compared_and_nothing_fails(measured):
    (verdict,) = judged(measured(1), measured(2, median=9.0))
    assert (verdict.failed, verdict.differs) == (False, True)


@pytest.mark.parametrize(
    ("text", "pattern", "statistic", "limit", "relative"),
    [
        ("overhead.turnkit.p99>5%", "overhead.turnkit", "p99", 0.05, True),
        ("overhead.p99.9 > 2ms", "overhead", "p999", 2.0, False),
        ("micro>10%", "micro", "p50", 0.1, True),
        ("scale.*.capacity>0", "scale.*.capacity", "p50", 0.0, False),
    ],
)
def test_a_rule_is_read(text, pattern, statistic, limit, relative):
    rule = parse_rule(text)
    assert (rule.pattern, rule.statistic, rule.limit, rule.relative) == (
        pattern, statistic, limit, relative,
    )  # fmt: skip


@pytest.mark.parametrize(
    "text", ["", "overhead", "overhead<5%", "overhead>", ">5%", "a>5%5", "a>x"]
)
def test_what_is_no_rule_is_refused(text):
    with pytest.raises(ConfigError, match=r"write PATTERN\.STAT>LIMIT"):
        parse_rule(text)


def test_a_rule_for_nothing_is_refused(measured):
    with pytest.raises(ConfigError, match="no metric of both runs is called overheat"):
        judged(measured(1), measured(2), "overheat.p99>5%")


def test_other_units_and_rough_runs_are_not_compared(measured):
    with pytest.raises(ConfigError, match="no figure in common"):
        judged(measured(1), measured(1, name="micro.step"))
    rough = result_of(measured(1).suites[0], quick=True)
    with pytest.raises(ConfigError, match="--quick"):
        judged(measured(1), rough)
