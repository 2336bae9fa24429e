"""What is installed for the peers, and when it counts as there. Nothing is installed here."""

import json
from dataclasses import replace

import pytest

from benchmarks.load import environments
from benchmarks.load.environments import ENVIRONMENTS, Environment, NotInstalled, measure


@pytest.fixture
def some(tmp_path, monkeypatch):
    monkeypatch.setattr(environments, "FOLDER", tmp_path)
    return Environment("some", ("some==1.0",))


def stamp(environment):
    environment.folder.mkdir(exist_ok=True)
    found = {"of": environment._mark, "size_bytes": 3_000_000, "packages": 2}
    (environment.folder / "installed.json").write_text(json.dumps(found))


def test_what_was_never_installed_says_what_to_run(some):
    assert not some.ready
    with pytest.raises(NotInstalled, match="turnkit bench --install"):
        _ = some.installed


def test_what_is_there_is_left_alone(some):
    stamp(some)
    said = []
    some.install(said.append)
    assert some.installed == (3_000_000, 2)
    assert said == ["some: is there"]


def test_another_version_is_another_environment(some):
    stamp(some)
    assert not replace(some, requirements=("some==1.1",)).ready


def test_a_failed_installation_is_not_there_afterwards(some):
    with pytest.raises(NotInstalled, match="this failed"):
        replace(some, requirements=("--no-such-option",)).install(lambda _: None)
    assert not some.ready


def test_the_versions_of_the_peers_are_pinned():
    for name in ("pipecat", "livekit"):
        wanted = (*ENVIRONMENTS[name].requirements, *ENVIRONMENTS[name].besides)
        assert all("==" in requirement for requirement in wanted)


def test_a_size_is_of_all_files_and_a_package_has_one_record(tmp_path):
    for path, size in (("one/a.py", 10), ("one/b/c.so", 100), ("one-1.0.dist-info/RECORD", 5)):
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_bytes(bytes(size))
    assert measure(tmp_path) == (115, 1)
