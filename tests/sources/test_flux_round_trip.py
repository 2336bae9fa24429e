"""Whatever Flux's wire can say is read as it was written."""

from urllib.parse import parse_qsl, urlencode

from hypothesis import given
from hypothesis import strategies as st

from turnkit.sources.flux_query import (
    ENCODINGS,
    LANGUAGES,
    MODELS,
    REDACTIONS,
    SAMPLE_RATES_HZ,
    ListenParameters,
    parse_query,
)
from turnkit.sources.flux_wire import (
    ActiveThresholds,
    CloseStream,
    Configure,
    ConfigureFailure,
    ConfigureSuccess,
    Connected,
    FluxError,
    FluxWarning,
    ForceEndTurn,
    Refusal,
    Thresholds,
    TurnInfo,
    Word,
    encode,
    parse_client,
    parse_refusal,
    parse_server,
    unknown_fields,
)

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=30)
COUNT = st.integers(0, 2**63 - 1)
SECONDS = st.floats(0, 1e9)
NUMBER = st.floats(-1e9, 1e9)
WORDS = st.lists(TEXT, max_size=4).map(tuple)


def maybe(strategy):
    return st.none() | strategy


WORD = st.builds(Word, TEXT, NUMBER, maybe(SECONDS), maybe(SECONDS))
INFO = st.builds(
    TurnInfo,
    request_id=TEXT,
    event=TEXT,
    turn_index=COUNT,
    audio_window_start=SECONDS,
    audio_window_end=SECONDS,
    transcript=TEXT,
    words=st.lists(WORD, max_size=4).map(tuple),
    end_of_turn_confidence=NUMBER,
    sequence_id=COUNT,
    languages=maybe(WORDS),
    languages_hinted=maybe(WORDS),
    trigger=maybe(TEXT),
)
ACTIVE = st.builds(ActiveThresholds, maybe(NUMBER), maybe(NUMBER), maybe(st.integers(0, 60000)))
SERVER = st.one_of(
    st.builds(Connected, TEXT, COUNT),
    INFO,
    st.builds(
        ConfigureSuccess,
        ACTIVE,
        WORDS,
        maybe(TEXT),
        maybe(COUNT),
        maybe(WORDS),
        maybe(st.booleans()),
    ),
    st.builds(ConfigureFailure, maybe(TEXT), maybe(COUNT), maybe(TEXT), maybe(TEXT), maybe(TEXT)),
    st.builds(FluxWarning, maybe(TEXT), maybe(COUNT), maybe(TEXT), maybe(TEXT)),
    st.builds(FluxError, maybe(COUNT), maybe(TEXT), maybe(TEXT)),
)
ORDERED = st.builds(Thresholds, maybe(NUMBER), maybe(NUMBER), maybe(st.integers(0, 60000)))
CLIENT = st.one_of(
    st.just(CloseStream()),
    st.just(ForceEndTurn()),
    st.builds(Configure, maybe(ORDERED), maybe(WORDS), maybe(WORDS), maybe(st.booleans())),
)
LABEL = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=20)


@given(SERVER)
def test_what_a_server_says_is_read_as_it_was_written(message):
    text = encode(message)
    assert parse_server(text) == parse_server(text.encode()) == message
    assert unknown_fields(text) == frozenset()


@given(CLIENT)
def test_what_a_client_says_is_read_as_it_was_written(message):
    text = encode(message)
    assert parse_client(text) == parse_client(text.encode()) == message


@given(st.builds(Refusal, maybe(LABEL), maybe(LABEL)))
def test_a_refusal_says_its_code_and_description(refusal):
    said = [part for part in (refusal.code, refusal.description) if part]
    assert parse_refusal(encode(refusal).encode()) == ": ".join(said)


@st.composite
def asked(draw) -> ListenParameters:
    """Draw what a client may ask for."""
    model = draw(st.sampled_from(MODELS))
    hints = st.lists(st.sampled_from(LANGUAGES), max_size=3).map(tuple)
    threshold = draw(st.floats(0.5, 1.0))
    return ListenParameters(
        model=model,
        encoding=draw(st.sampled_from(ENCODINGS)),
        sample_rate_hz=draw(st.sampled_from(SAMPLE_RATES_HZ)),
        eager_eot_threshold=draw(maybe(st.floats(0.3, min(threshold, 0.9)))),
        eot_threshold=threshold,
        eot_timeout_ms=draw(st.integers(500, 60000)),
        keyterms=tuple(draw(st.lists(LABEL.filter(str.strip), max_size=3))),
        language_hints=draw(hints) if model == "flux-general-multi" else (),
        profanity_filter=draw(st.booleans()),
        numerals=draw(st.booleans()),
        redact=draw(maybe(st.sampled_from(REDACTIONS))),
        mip_opt_out=draw(st.booleans()),
        tags=tuple(draw(st.lists(TEXT, max_size=3))),
    )


@given(asked())
def test_a_handshake_is_read_as_it_was_written(parameters):
    query = urlencode(parameters.query())
    assert parse_query(parse_qsl(query, keep_blank_values=True)) == parameters
