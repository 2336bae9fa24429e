"""Every target of the fuzzer, with few inputs: parsers raise what they document, nothing else."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.fuzz.targets import TARGETS

_STEERED = st.lists(st.integers(0, 255), max_size=40).map(lambda numbers: bytes([1, *numbers]))


@pytest.mark.parametrize("name", TARGETS)
@given(data=st.binary(max_size=200) | _STEERED)
@settings(max_examples=60)
def test_any_bytes_are_read_or_refused(name, data):
    TARGETS[name](data)


@pytest.mark.parametrize("name", TARGETS)
def test_what_is_ordinary_is_read_and_so_is_each_beginning_of_it(name):
    for seed in TARGETS[name].seeds:
        for end in range(0, len(seed) + 1, 7):
            TARGETS[name](seed[:end])
