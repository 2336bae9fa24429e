"""How many decoders there are, and who has them."""

import pytest

from turnkit.recognizers.sphinx_decoders import Decoders


class Stream:
    """Somebody who may want a decoder."""


@pytest.fixture(scope="module")
def decoders():
    pytest.importorskip("pocketsphinx")
    return Decoders(2)


def test_there_are_as_many_as_streams_up_to_the_limit(decoders):
    streams = [Stream() for _ in range(3)]
    counts = []
    for stream in streams:
        decoders.join(stream, ())
        decoders.join(stream, ())  # who joins twice is one stream
        counts.append(len(decoders))
    assert counts == [1, 2, 2]
    for stream in streams:
        decoders.leave(stream)
    assert len(decoders) == 2  # for those to come


def test_all_that_are_lent_are_not_lent_again(decoders):
    lent = [decoders.take(()), decoders.take(())]
    assert None not in lent
    assert decoders.take(()) is None
    decoders.give(lent[0])
    assert decoders.take(()) is lent[0]
    for decoder in lent:
        decoders.give(decoder)


def test_other_keyterms_take_the_place_of_what_has_been_free_longest(decoders):
    stream = Stream()
    decoders.join(stream, ("turnkit",))
    assert len(decoders) == 2
    decoder = decoders.take(("turnkit",))
    assert decoder.keyterms == ("turnkit",)
    decoders.give(decoder)
    decoders.leave(stream)
