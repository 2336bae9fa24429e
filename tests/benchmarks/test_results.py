"""A result is read as it was written, and what is none is refused in one line."""

import pytest

from benchmarks.results import SCHEMA, merged, metric, read, write
from tests.benchmarks.conftest import result_of, suite
from turnkit.errors import ConfigError


def test_a_result_is_read_as_it_was_written(tmp_path, measured, loaded):
    result = result_of(loaded("overhead"), *measured(1).suites)
    write(result, tmp_path / "folder" / "result.json")
    again = read(tmp_path / "folder" / "result.json")
    assert again.metrics == result.metrics
    assert [s.tables for s in again.suites] == [s.tables for s in result.suites]
    assert [p.name for p in (tmp_path / "folder").iterdir()] == ["result.json"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("nonsense", "is not a result of `turnkit bench`"),
        ("{}", "is not a result of `turnkit bench`"),
        ("[" * 5000, "is not a result of `turnkit bench`"),
    ],
)
def test_what_is_no_result_is_refused(tmp_path, text, said):
    (tmp_path / "base.json").write_text(text)
    with pytest.raises(ConfigError, match=said):
        read(tmp_path / "base.json")


def test_a_file_that_is_not_there_is_refused(tmp_path):
    with pytest.raises(ConfigError, match=r"cannot read .*base\.json: No such file"):
        read(tmp_path / "base.json")


def test_another_schema_is_refused(tmp_path, measured):
    other = measured(1)
    other.schema = "turnkit.bench/0"
    write(other, tmp_path / "base.json")
    with pytest.raises(ConfigError, match=SCHEMA):
        read(tmp_path / "base.json")


def test_results_of_suites_run_apart_are_put_together(measured):
    one = result_of(suite("policy", metric("policy.a", "ms", [[1.0]])))
    both = merged([one, measured(1), result_of(suite("policy", failures=["it failed"]))])
    assert [s.name for s in both.suites] == ["policy", "overhead"]
    assert both.failures == ["policy: it failed"]


def test_the_metrics_of_a_load_are_named_by_subject_case_and_stage(loaded):
    names = result_of(loaded("overhead")).metrics
    assert "overhead.relay.plain.request" in names
    assert "overhead.turnkit.barge.clear" in names
    assert len(names["overhead.turnkit.plain.overhead"].runs) == 2


def test_the_metrics_of_several_levels_have_the_number_of_calls_in_them(loaded):
    names = result_of(loaded("scale", levels=(1, 10))).metrics
    assert {"scale.turnkit.1.cpu", "scale.turnkit.10.overhead", "scale.turnkit.capacity"} <= set(
        names
    )
    assert names["scale.turnkit.capacity"].better == "higher"
