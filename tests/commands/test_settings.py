"""What `turnkit settings` says of the settings."""

import pytest
from pydantic import SecretStr
from rich.console import Console

from turnkit.commands import options
from turnkit.commands.settings import settings
from turnkit.config import Settings
from turnkit.errors import ConfigError


@pytest.fixture
def told(monkeypatch, tmp_path):
    """Run it in an empty folder; return what it printed, a line for each setting."""
    monkeypatch.chdir(tmp_path)

    def run(*arguments, **keywords):
        console = Console(width=2000, highlight=False)
        monkeypatch.setattr(options, "console", console)
        with console.capture() as printed:
            settings(*arguments, **keywords)
        return {line.split()[0]: line for line in printed.get().splitlines()[1:]}

    return run


def test_every_setting_is_there(told):
    assert list(told(None)) == list(Settings.model_fields)


@pytest.mark.parametrize("name", Settings.model_fields)
def test_every_setting_says_what_it_means(name):
    assert Settings.model_fields[name].description


def test_a_setting_has_its_value_its_range_and_its_words(told):
    assert "3.0 " in told("hold_s", sets=["hold_s=3"])["hold_s"]
    assert "(≥ 0, ≤ 5)" in told("hold_s")["hold_s"]
    assert "(numbers, aggressive_numbers)" in told("redact")["redact"]


def test_what_is_searched_for_may_be_in_the_name_or_the_meaning(told):
    assert {"barge_in", "barge_in_words", "barge_in_decide_s"} <= told("barge").keys()
    assert "idle_s" in told("nobody speaks")


def test_a_key_is_not_shown_and_its_variable_is(told, monkeypatch):
    monkeypatch.setenv("DEEPGRAM_API_KEY", "a-secret")
    line = told("deepgram_api_key")["deepgram_api_key"]
    assert "a-secret" not in line
    assert str(SecretStr("x")) in line
    assert "Also the variable DEEPGRAM_API_KEY." in line


def test_what_nothing_is_called_is_said_to_be_missing(told):
    with pytest.raises(ConfigError, match="no setting has 'klingon'"):
        told("klingon")
