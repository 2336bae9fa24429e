"""Settings: flag over environment over file over default, and no misspelling passes."""

import pytest

from turnkit import config
from turnkit.errors import ConfigError


@pytest.fixture(autouse=True)
def elsewhere(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_a_flag_beats_the_environment_which_beats_the_file(elsewhere, monkeypatch):
    (elsewhere / "turnkit.toml").write_text("port = 1\nhost = 'file'\nvoice = 'file'")
    monkeypatch.setenv("TURNKIT_PORT", "2")
    monkeypatch.setenv("TURNKIT_HOST", "environment")
    settings = config.load(port=3)
    assert (settings.port, settings.host, settings.voice) == (3, "environment", "file")
    assert settings.source == "local"


def test_a_flag_that_was_not_given_does_not_count():
    assert config.load(port=None).port == 8080


def test_the_key_comes_from_its_usual_variable_and_is_never_shown(monkeypatch):
    monkeypatch.setenv("DEEPGRAM_API_KEY", "canary")
    settings = config.load()
    assert settings.deepgram_api_key.get_secret_value() == "canary"
    assert "canary" not in repr(settings)


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        ({"sorce": "local"}, "setting 'sorce': unknown; did you mean 'source'?"),
        ({"port": "many"}, "port: .*not 'many'"),
        ({"eot_threshold": 0.2}, "eot_threshold: .*greater than or equal to 0.5, not 0.2"),
        (
            {"eager_eot_threshold": 0.8},
            "eager_eot_threshold 0.8 must be less than or equal to eot_threshold 0.7",
        ),
        ({"speculate": "sometimes"}, "speculate: .*'off', 'llm' or 'llm"),
    ],
)
def test_a_wrong_value_is_named_with_what_was_expected(flags, message):
    with pytest.raises(ConfigError, match=message):
        config.load(**flags)


def test_a_misspelt_variable_is_an_error_too(monkeypatch):
    monkeypatch.setenv("TURNKIT_PROT", "1")
    with pytest.raises(ConfigError, match="TURNKIT_PROT: unknown; did you mean 'port'"):
        config.load()


def test_a_misspelt_name_in_the_file_is_an_error_too(elsewhere):
    (elsewhere / "turnkit.toml").write_text("vioce = 'espeak'")
    with pytest.raises(ConfigError, match="did you mean 'voice'"):
        config.load()


def test_a_file_that_is_not_toml_is_named(elsewhere):
    (elsewhere / "turnkit.toml").write_text("port 1")
    with pytest.raises(ConfigError, match=r"turnkit\.toml: "):
        config.load()
