"""G.711: the standard's own figures, and every one of the 65,536 samples against an oracle."""

import importlib
import warnings

import numpy as np
import pytest

from turnkit.audio.g711 import decode_alaw, decode_mulaw, encode_alaw, encode_mulaw

EVERY_SAMPLE = np.arange(1 << 16, dtype=np.uint16).view(np.int16)
EVERY_CODE = bytes(range(256))

# One period of 1 kHz at 0 dBm0, G.711 tables 5 and 6.
MULAW_MILLIWATT = bytes.fromhex("1e0b0b1e9e8b8b9e")
ALAW_MILLIWATT = bytes.fromhex("342121 34b4a1a1b4")


@pytest.fixture
def oracle():
    """The standard library's own, which ended with Python 3.12."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        return pytest.importorskip("audioop", reason="no audioop from Python 3.13 on")


def test_mulaw_is_bit_exact(oracle):
    assert encode_mulaw(EVERY_SAMPLE) == oracle.lin2ulaw(EVERY_SAMPLE.tobytes(), 2)
    assert decode_mulaw(EVERY_CODE).tobytes() == oracle.ulaw2lin(EVERY_CODE, 2)


def test_alaw_is_bit_exact(oracle):
    assert encode_alaw(EVERY_SAMPLE) == oracle.lin2alaw(EVERY_SAMPLE.tobytes(), 2)
    assert decode_alaw(EVERY_CODE).tobytes() == oracle.alaw2lin(EVERY_CODE, 2)


@pytest.mark.parametrize(
    ("sample", "mulaw", "alaw"),
    [(0, 0xFF, 0xD5), (-1, 0x7E, 0x55), (32767, 0x80, 0xAA), (-32768, 0x00, 0x2A)],
)
def test_silence_and_the_extremes_have_the_standards_codes(sample, mulaw, alaw):
    samples = np.array([sample], np.int16)
    assert encode_mulaw(samples) == bytes([mulaw])
    assert encode_alaw(samples) == bytes([alaw])


@pytest.mark.parametrize(
    ("tone", "overload", "overload_dbm0"),
    [(decode_mulaw(MULAW_MILLIWATT), 32636, 3.17), (decode_alaw(ALAW_MILLIWATT), 32768, 3.14)],
)
def test_the_standards_reference_tone_has_the_standards_level(tone, overload, overload_dbm0):
    rms = np.sqrt(np.mean(np.square(tone.astype(float))))
    assert 20 * np.log10(np.sqrt(2) * rms / overload) + overload_dbm0 == pytest.approx(0, abs=0.02)


def test_a_code_comes_back_as_itself():
    assert encode_alaw(decode_alaw(EVERY_CODE)) == EVERY_CODE
    negative_zero, zero = b"\x7f", b"\xff"  # mu-law has both, a sample only one
    assert encode_mulaw(decode_mulaw(EVERY_CODE)) == EVERY_CODE.replace(negative_zero, zero)


def test_nothing_becomes_nothing():
    nothing = np.empty(0, np.int16)
    assert encode_mulaw(nothing) == encode_alaw(nothing) == b""
    assert len(decode_mulaw(b"")) == len(decode_alaw(b"")) == 0


def test_samples_may_be_every_other_of_a_stereo_recording():
    stereo = np.repeat(EVERY_SAMPLE, 2)
    assert encode_mulaw(stereo[::2]) == encode_mulaw(EVERY_SAMPLE)


def test_importing_builds_no_table():
    module = importlib.reload(importlib.import_module("turnkit.audio.g711"))
    assert module._mulaw_codes.cache_info().currsize == 0
