"""From a name on the command line to the module behind it."""

import pytest
from pydantic import SecretStr

from turnkit import plug
from turnkit.audio.frames import AudioFormat
from turnkit.config import Settings
from turnkit.errors import ConfigError
from turnkit.sources.flux import FluxSource


def settings(**values):
    return Settings.model_construct(**values)


def test_a_name_is_a_module_and_what_follows_the_colon_its_argument():
    module, argument = plug.load("voice", "turnkit.tts", "formant:150")
    assert (module.__name__, argument) == ("turnkit.tts.formant", "150")


def test_a_dotted_name_is_anybodys_module():
    module, argument = plug.load("voice", "turnkit.tts", "turnkit.tts.formant")
    assert (module.__name__, argument) == ("turnkit.tts.formant", None)


def test_an_address_is_a_flux_server():
    source = plug.open_source(settings(source="ws://127.0.0.1:1/v2/listen"), AudioFormat(16000))
    assert isinstance(source, FluxSource)


@pytest.mark.parametrize(
    ("source", "hosts"),
    [
        ("deepgram", ["api.deepgram.com"]),
        ("deepgram-eu", ["api.eu.deepgram.com"]),
        ("deepgram-eu,global", ["api.eu.deepgram.com", "api.deepgram.com"]),
        ("deepgram,wss://a.example", ["api.deepgram.com", "a.example"]),
        ("deepgram:in,cloudflare:wss://a.example", ["api.in.deepgram.com", "a.example"]),
        ("wss://a.example,deepgram:au", ["a.example", "api.au.deepgram.com"]),
    ],
)
def test_routes_to_flux_have_short_names_and_make_lists(source, hosts):
    given = settings(source=source, deepgram_api_key=SecretStr("k"))
    opened = plug.open_source(given, AudioFormat(16000))
    assert [route.host for route in opened._routes] == hosts


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("lokal", "source 'lokal' is unknown; did you mean 'local'?"),
        ("xyz", "source 'xyz' is unknown; choose one of: .*deepgram, flux, local, replay"),
        ("base", "source 'base' is unknown"),
        ("feed", "source 'feed' is unknown"),
        ("no.such.module", "source 'no.such.module' is unknown"),
        ("turnkit.errors", r"module turnkit\.errors has no function create"),
    ],
)
def test_an_unknown_name_is_an_error_that_helps(name, message):
    with pytest.raises(ConfigError, match=message):
        plug.load("source", "turnkit.sources", name)


def test_every_module_of_a_seam_is_a_plug_in_or_known_not_to_be():
    for package in ("turnkit.sources", "turnkit.tts"):
        for name in plug.names(package):
            assert plug.load("plug-in", package, name)
