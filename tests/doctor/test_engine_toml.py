"""What the doctor reads out of engine.toml and api.toml."""

import pytest

from turnkit.doctor.engine_toml import read_toml

ENGINE = """
[health]
gpu_required = true
[flux]
enabled = true
max_streams = 40
model_name = "flux-general-en"
"""
API = """
[server]
base_url = "/v1"
host = "0.0.0.0"
port = 8080
[features]
listen_v2 = true
[[driver_pool.standard]]
url = "https://engine:8080/v2"
"""


def read(text, name="engine.toml", model="flux-general-en"):
    return read_toml(text, name, model)


def troubles(found):
    return [finding for finding in found if finding.grade != "good"]


def test_files_as_published_are_well():
    assert troubles(read(ENGINE)) == []
    assert troubles(read(API, "api.toml")) == []


@pytest.mark.parametrize(
    ("old", "new", "grade", "what", "advice"),
    [
        ("enabled = true", "enabled = false", "bad", "[flux] enabled is False", "enabled = true"),
        ("enabled = true", "", "bad", "[flux] enabled is missing", "enabled = true"),
        ("[flux]", "[nova]", "bad", "[flux] is not there", "add [flux]"),
        ("flux-general-en", "nova-3", "bad", "[flux] model_name is 'nova-3'", "flux-general-en"),
        ("-en", "-multi", "bad", "it serves flux-general-multi, and", "--set model=flux-general-m"),
        ("max_streams = 40", "max_streams = 0", "doubtful", "[flux] max_streams is 0", "your GPU"),
        ("max_streams = 40", "", "doubtful", "[flux] max_streams is not set", "your GPU"),
        ("gpu_required = true", "", "doubtful", "[health] gpu_required is not set", "true"),
    ],
)
def test_each_problem_of_an_engine(old, new, grade, what, advice):
    assert old in ENGINE
    (problem,) = troubles(read(ENGINE.replace(old, new)))
    assert problem.grade == grade
    assert problem.what.startswith(what)
    assert advice in problem.advice


@pytest.mark.parametrize(
    ("old", "new", "what", "advice"),
    [
        ("listen_v2 = true", "listen_v2 = false", "listen_v2 is off", "listen_v2 = true"),
        ("listen_v2 = true", "", "listen_v2 is off", "listen_v2 = true"),
        ('url = "https://engine:8080/v2"', "", "no engine is named", "[[driver_pool.standard]]"),
        ("[[driver_pool.standard]]", "[other]", "no engine is named", "[[driver_pool.standard]]"),
    ],
)
def test_each_problem_of_an_api(old, new, what, advice):
    assert old in API
    (problem,) = troubles(read(API.replace(old, new), "api.toml"))
    assert problem.grade == "bad"
    assert problem.what.startswith(what)
    assert advice in problem.advice


def test_a_file_of_another_name_is_known_by_its_tables():
    assert troubles(read(API, "mine.toml")) == []
    assert troubles(read(ENGINE, "mine.toml")) == []


def test_what_is_not_toml_is_said_with_its_place():
    (problem,) = read("[flux\nenabled = true")
    assert problem.what.startswith("it is not TOML: ")
    assert "line 1" in problem.what


@pytest.mark.parametrize("text", ["flux = 3", "[flux]\nenabled = 1", "features = []", ""])
def test_what_is_not_as_expected_is_a_problem_and_no_error(text):
    assert troubles(read(text))
