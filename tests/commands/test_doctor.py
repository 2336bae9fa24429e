"""`turnkit doctor` as one sees it."""

import sys

import pytest

from turnkit.cli import main


@pytest.fixture
def doctor(monkeypatch, capsys, tmp_path):
    monkeypatch.chdir(tmp_path)

    def run(*arguments):
        monkeypatch.setattr(sys, "argv", ["turnkit", "doctor", *arguments])
        with pytest.raises(SystemExit) as ended:
            main()
        printed = capsys.readouterr()
        return ended.value.code or 0, printed.out, printed.err

    return run


def test_problems_are_shown_with_what_to_do_and_make_it_fail(doctor, tmp_path):
    (tmp_path / "engine.toml").write_text("[flux]\nenabled = false\n")
    code, out, _ = doctor("engine.toml")
    assert code == 1
    assert "✗ engine.toml: [flux] enabled is False: Flux is off" in out
    assert "    set [flux] enabled = true" in out
    assert out.endswith("1 thing to mend\n")


def test_files_that_are_well_pass(doctor, tmp_path):
    (tmp_path / "engine.log").write_text("Finished prewarming Flux model\n")
    code, out, _ = doctor("engine.log")
    assert (code, out) == (0, "✓ engine.log: Flux was loaded and is ready\nnothing is wrong\n")


def test_a_file_that_is_not_there_is_a_users_mistake(doctor):
    code, _, err = doctor("engine.log")
    assert code == 2
    assert "engine.log is not there" in err


def test_a_source_that_is_no_server_is_said_to_be_none(doctor):
    code, _, err = doctor()
    assert code == 2
    assert "source local is no Flux server" in " ".join(err.split())


@pytest.mark.network
def test_an_endpoint_that_is_not_there_fails_at_its_step(doctor):
    code, out, _ = doctor("--source", "ws://127.0.0.1:1/v2/listen")
    assert code == 1
    assert "✗ tcp: nothing answers at 127.0.0.1 port 1" in out
