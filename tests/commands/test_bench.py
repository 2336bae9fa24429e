"""`turnkit bench`: what it says, what it writes, and its exit status."""

import json
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from benchmarks import suites
from benchmarks.results import metric, read, write
from tests.benchmarks.conftest import drawn, result_of, suite
from turnkit.cli import main
from turnkit.commands import bench as command
from turnkit.commands import options

ROOT = Path(__file__).resolve().parents[2]
NAME = "overhead.turnkit.plain.overhead"


@pytest.fixture(autouse=True)
def elsewhere(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(options.console, "width", 200)
    return tmp_path


@pytest.fixture
def turnkit(monkeypatch, capsys):
    """Run a command; return its exit code and what it printed."""

    def run(*arguments):
        monkeypatch.setattr(sys, "argv", ["turnkit", *arguments])
        with pytest.raises(SystemExit) as ended:
            main()
        printed = capsys.readouterr()
        return ended.value.code or 0, printed.out, " ".join(printed.err.split())

    return run


@pytest.fixture
def files(elsewhere):
    """Three results: a base, one like it, and one half as slow again."""
    for name, seed, median in (("base", 1, 2.0), ("same", 2, 2.0), ("slow", 3, 3.0)):
        made = result_of(suite("overhead", metric(NAME, "ms", drawn(seed, median))))
        write(made, elsewhere / f"{name}.json")
    return elsewhere


def test_the_suites_are_listed(turnkit):
    code, out, _ = turnkit("bench", "--list")
    assert code == 0
    for name in suites.SUITES:
        assert name in out


def test_a_suite_is_run_and_leaves_a_result_and_a_report(turnkit, elsewhere):
    code, out, _ = turnkit(
        "bench", "policy", "--quick", "--turns", "3", "--out", "found", "--recordings", "none"
    )
    assert (code, out.count("error")) == (2, 0)
    code, out, _ = turnkit("bench", "policy", "--quick", "--turns", "3", "--out", "found")
    assert code == 0
    assert "scripted conversations, typical model and voice" in out
    result = read(elsewhere / "found" / "result.json")
    assert result.quick
    assert result.command == "turnkit bench policy --quick --turns 3 --out found"
    assert not result.failures
    assert result.metrics["policy.scripted.typical.llm+tts.false_starts"].samples == [0.0]
    assert "llm+tts" in (elsewhere / "found" / "report.html").read_text()


def test_no_change_and_noise_exit_with_0(turnkit, files):
    for now in ("base", "same"):
        code, out, _ = turnkit(
            "bench", "--from", f"{now}.json", "--compare", "base.json", "--fail-on", "overhead>0%"
        )
        assert (code, "0 worse than allowed" in out) == (0, True)


def test_a_regression_exits_with_1_and_is_named_with_its_figures(turnkit, files):
    rule = "overhead.turnkit.p99>5%"
    code, out, _ = turnkit(
        "bench", "--from", "slow.json", "--compare", "base.json", "--fail-on", rule
    )
    assert code == 1
    (line,) = [line for line in out.splitlines() if f"WORSE than {rule}" in line]
    assert f"{NAME}.p99" in line
    assert " to " in line
    assert "1 of 1 figures are worse than allowed" in Path("turnkit-bench/report.html").read_text()


def test_a_missed_target_fails_where_that_is_asked_for(turnkit, files):
    code, out, _ = turnkit("bench", "--from", "base.json")
    assert (code, "MISSED" in out) == (0, True)
    code, out, _ = turnkit("bench", "--from", "base.json", "--targets")
    assert (code, "overhead of a turn, median" in out) == (1, True)


def test_held_targets_do_not_fail(turnkit, files):
    made = suite("overhead", metric(NAME, "ms", drawn(1, 0.2)))
    write(result_of(made), files / "fast.json")
    code, out, _ = turnkit("bench", "--from", "fast.json", "--targets")
    assert (code, "held" in out, "MISSED" in out) == (0, True, False)


def test_results_of_runs_apart_become_one_report(turnkit, files):
    other = result_of(suite("micro", metric("micro.machine.event", "us", drawn(4, 2.0))))
    write(other, files / "micro.json")
    assert turnkit("bench", "--from", "base.json", "--from", "micro.json")[0] == 0
    found = read(files / "turnkit-bench" / "result.json")
    assert [one.name for one in found.suites] == ["overhead", "micro"]


def test_what_must_never_be_exits_with_1(turnkit, files):
    write(result_of(suite("policy", failures=["2 false starts were heard"])), files / "bad.json")
    code, out, _ = turnkit("bench", "--from", "bad.json")
    assert (code, "failed: policy: 2 false starts were heard" in out) == (1, True)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["polycy"], "there is no suite 'polycy'; choose from policy, micro,"),
        (["turns"], "suite turns needs labelled speech: --audio FOLDER"),
        (["--compare", "none.json"], "cannot read none.json: No such file"),
        (["--from", "none.json"], "cannot read none.json: No such file"),
        (["--fail-on", "overhead>5%"], "--fail-on needs --compare BASE.json"),
        (["--compare", "base.json", "--fail-on", "p99"], "write PATTERN.STAT>LIMIT"),
        (["scale", "--calls", "1,ten"], "--calls 1,ten: write numbers from 1 up with commas"),
        (["scale", "--workers", "0"], "--workers 0: write numbers from 1 up with commas"),
        (["overhead", "--parts", "half"], "there is no part 'half'; choose from turns, levels"),
        (["overhead", "--subjects", "asterisk"], "there is no subject 'asterisk'; choose from"),
        (["overhead", "--end", "fax"], "there is no far end 'fax'; choose from"),
        (["--from", "base.json", "--out", "base.json/x"], "cannot write base.json/x/result.json"),
        (["policy", "--recordings", "none"], "no recordings (NAME.flux.json) in none"),
    ],
)
def test_a_mistake_is_one_line_and_exits_with_2(turnkit, files, arguments, said):
    code, _, err = turnkit("bench", *arguments)
    assert code == 2
    assert said in err
    assert err.startswith("error: ")
    assert "Traceback" not in err


def test_what_has_to_be_installed_is_said(turnkit, monkeypatch):
    lacking = suites.Suite("odd", "", "benchmarks.suites.policy", "", ("no_such_module",))
    monkeypatch.setitem(suites.SUITES, "odd", lacking)
    code, _, err = turnkit("bench", "odd")
    assert code == 2
    assert "suite odd needs no_such_module: pip install 'turnkit[bench]'" in err


def test_an_installation_without_the_suites_says_so(turnkit, monkeypatch, tmp_path):
    monkeypatch.setattr(command, "PLACES", (tmp_path,))
    code, _, err = turnkit("bench", "--list")
    assert code == 2
    assert "this installation of turnkit is without its benchmarks" in err


@pytest.mark.network
def test_the_wheel_has_the_suites_and_they_run_from_it(tmp_path):
    pytest.importorskip("hatchling")
    built = subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)],
        cwd=ROOT, capture_output=True, text=True, timeout=100, check=False,
    )  # fmt: skip
    assert built.returncode == 0, built.stderr
    (wheel,) = tmp_path.glob("*.whl")
    with zipfile.ZipFile(wheel) as file:
        file.extractall(tmp_path / "site")
    run = "from turnkit.cli import main; main()"
    arguments = ["bench", "policy", "--quick", "--turns", "2", "--out", "found"]
    ran = subprocess.run(
        [sys.executable, "-c", f"import sys; sys.path.insert(0, 'site'); {run}", *arguments],
        cwd=tmp_path, capture_output=True, text=True, timeout=100, check=False,
    )  # fmt: skip
    assert ran.returncode == 0, ran.stderr
    found = json.loads((tmp_path / "found" / "result.json").read_text())
    assert found["suites"][0]["failures"] == []
