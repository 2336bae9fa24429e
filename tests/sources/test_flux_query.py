"""Flux's handshake: what may be asked for, and what is refused."""

import pytest

from turnkit.errors import ConfigError
from turnkit.sources import flux_query
from turnkit.sources.flux_query import (
    COMPRESSED,
    ListenParameters,
    ParameterRefused,
    parse_query,
)

PLAIN = [("model", "flux-general-en"), ("encoding", "linear16"), ("sample_rate", "16000")]
EVERYTHING = ListenParameters(
    model="flux-general-multi",
    encoding="mulaw",
    sample_rate_hz=8000,
    eager_eot_threshold=0.4,
    eot_threshold=1.0,
    eot_timeout_ms=30000,
    keyterms=("Deepgram", "customer service"),
    language_hints=("en", "pt-BR"),
    profanity_filter=True,
    numerals=True,
    redact="numbers",
    mip_opt_out=True,
    tags=("night shift",),
)


def changed(*pairs):
    """A plain query with these parameters instead, or besides."""
    names = {name for name, _ in pairs}
    return [pair for pair in PLAIN if pair[0] not in names] + list(pairs)


def refusal(*pairs):
    with pytest.raises(ParameterRefused) as caught:
        parse_query(changed(*pairs))
    assert caught.value.code == "INVALID_PARAMETER"
    assert caught.value.description.isascii()  # it goes into a header
    return caught.value.description


def test_a_plain_query_has_fluxs_defaults():
    assert parse_query(PLAIN) == ListenParameters("flux-general-en", "linear16", 16000)


@pytest.mark.parametrize("parameters", [parse_query(PLAIN), EVERYTHING])
def test_what_a_client_asks_for_the_server_reads(parameters):
    assert parse_query(parameters.query()) == parameters


def test_lists_are_sent_by_repeating():
    assert [value for name, value in EVERYTHING.query() if name == "keyterm"] == [
        "Deepgram",
        "customer service",
    ]


@pytest.mark.parametrize(
    ("pair", "said"),
    [
        (("model", "flux"), "model 'flux' is not supported; send one of flux-general-en, "),
        (("eager_eot_threshold", "0.8"), "less than or equal to eot_threshold; 0.8 is above 0.7"),
        (("language_hint", "en"), "language_hint is not supported for model flux-general-en"),
        (("interim_results", "true"), "parameter 'interim_results' is unknown"),
        (("keyterm", ""), "keyterm is blank"),
    ],
)
def test_the_references_refusals(pair, said):
    assert said in refusal(pair)


@pytest.mark.parametrize(
    "pair",
    [
        ("language", "en"),
        ("Modèl\r\n", "x"),
        ("encoding", "flac"),
        ("sample_rate", "11025"),
        ("sample_rate", "16e3"),
        ("sample_rate", "16000.0"),
        ("eot_threshold", "0.49"),
        ("eot_threshold", "1.01"),
        ("eot_threshold", "nan"),
        ("eot_threshold", "0,7"),
        ("eot_threshold", ""),
        ("eot_threshold", "\ud800"),
        ("eager_eot_threshold", "0.2"),
        ("eager_eot_threshold", "0.91"),
        ("eot_timeout_ms", "499"),
        ("eot_timeout_ms", "60001"),
        ("eot_timeout_ms", "5000.5"),
        ("numerals", "yes"),
        ("profanity_filter", "1"),
        ("redact", "pci"),
        ("keyterm", " "),
        ("keyterm", "x" * 101),
        ("tag", "x" * 129),
    ],
)
def test_a_value_flux_does_not_take_is_refused(pair):
    assert refusal(pair)


@pytest.mark.parametrize("name", ["model", "encoding", "sample_rate"])
def test_what_is_needed_is_named(name):
    with pytest.raises(ParameterRefused, match=f"{name} is missing"):
        parse_query([pair for pair in PLAIN if pair[0] != name])


def test_a_value_is_given_once():
    assert refusal(("model", "flux-general-en"), ("model", "flux-general-en"))


def test_a_hundred_keyterms_are_the_limit():
    keyterms = [("keyterm", f"term {n}") for n in range(100)]
    assert len(parse_query(changed(*keyterms)).keyterms) == 100
    assert "Keyterm limit exceeded" in refusal(*keyterms, ("keyterm", "one more"))


@pytest.mark.parametrize("hint", ["xx", "", "english", "en_US", "en-"])
def test_a_hint_flux_does_not_know_is_refused(hint):
    assert "language_hint" in refusal(("model", "flux-general-multi"), ("language_hint", hint))


def test_the_eager_threshold_may_equal_the_other():
    query = changed(("eager_eot_threshold", "0.8"), ("eot_threshold", "0.8"))
    assert parse_query(query).eager_eot_threshold == 0.8


def test_a_client_learns_of_a_mistake_before_it_connects():
    with pytest.raises(ConfigError, match="send one of 8000, 16000, 24000, 44100, 48000"):
        ListenParameters("flux-general-en", "linear16", 22050)


@pytest.mark.parametrize("encoding", COMPRESSED)
def test_what_is_compressed_is_taken_where_it_can_be_decoded(encoding, monkeypatch):
    pairs = [("model", "flux-general-en"), ("encoding", encoding), ("sample_rate", "48000")]
    monkeypatch.setattr(flux_query, "opus_installed", lambda: True)
    asked = parse_query(pairs)
    assert asked.compressed == encoding
    assert ("encoding", encoding) in asked.query()
    monkeypatch.setattr(flux_query, "opus_installed", lambda: False)
    with pytest.raises(ParameterRefused, match=r"turnkit\[opus\]"):
        parse_query(pairs)
