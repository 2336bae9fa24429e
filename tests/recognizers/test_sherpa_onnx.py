"""sherpa-onnx itself, where it is installed, on a model made here that says "go forward" to all."""

import importlib
import importlib.util

import numpy as np
import pytest

from turnkit.errors import ConfigError
from turnkit.recognizers import sherpa_onnx
from turnkit.recognizers.sherpa_onnx import _words

TOKENS = "<blk> 0\n▁GO 1\n▁FOR 2\nWARD 3\n"
NOISE = np.random.default_rng(1).integers(-3000, 3000, 1280).astype(np.int16)
D, FRAMES = 4, 9


def test_pieces_become_words_that_end_where_the_next_begins():
    heard = _words([" GO", " FOR", "WARD"], [0.0, 0.2, 0.4], lower=True)
    assert [(word.word, word.start, word.end) for word in heard] == [
        ("go", 0.0, 0.2),
        ("forward", 0.2, 0.9),
    ]


def test_nothing_heard_is_no_words():
    assert _words([], [], lower=False) == ()


def test_a_missing_file_is_named(folder, settings, monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda _: "there")
    with pytest.raises(ConfigError, match=r"missing: tokens\.txt"):
        sherpa_onnx.create(str(folder("encoder.onnx")), settings)


TRANSDUCER = ("tokens.txt", "encoder-1.int8.onnx", "encoder-1.onnx", "decoder.onnx", "joiner.onnx")


@pytest.fixture
def opened(standins, folder, settings):
    """Open a recognizer on the stand-in, and give what that was asked for."""

    def made(*names, keyterms=()):
        place = folder(*names)
        (place / "tokens.txt").write_text(TOKENS)
        recognizer = sherpa_onnx.create(str(place), settings).load()(keyterms)
        return recognizer, importlib.import_module("sherpa_onnx").MADE[-1]

    return made


def test_a_transducer_hears_words_as_they_are_spoken(opened):
    recognizer, (kind, file, method, streams) = opened(*TRANSDUCER, keyterms=("Acme",))
    assert (kind, file, method) == ("transducer", "encoder-1.onnx", None)
    partials = []
    for _ in range(7):  # 0.56 s
        recognizer.feed(NOISE)
        partials.append(said(recognizer.words))
    assert list(dict.fromkeys(partials)) == ["", "go for"]
    assert said(recognizer.finish()) == "go forward ten"  # with what it had not looked at yet
    assert recognizer.words == ()
    assert streams == [None]  # it cannot be biased


def test_with_its_vocabulary_it_expects_what_it_is_told_to(opened):
    files = (*TRANSDUCER, "bpe.vocab")
    recognizer, (_, _, method, streams) = opened(*files, keyterms=("Acme", "A/B test"))
    assert method == "modified_beam_search"
    recognizer.feed(NOISE)
    recognizer.bias(())
    recognizer.drop()
    recognizer.feed(NOISE)
    recognizer.close()
    assert streams == ["ACME/A B TEST", None]
    assert recognizer.finish() == ()


def test_a_model_with_ctc_will_do(opened):
    recognizer, (kind, file, _, _) = opened("tokens.txt", "ctc-epoch-30.int8.onnx")
    assert (kind, file) == ("ctc", "ctc-epoch-30.int8.onnx")
    for _ in range(4):
        recognizer.feed(NOISE)
    assert said(recognizer.words) == "go for"


@pytest.fixture
def tiny(tmp_path):
    """A streaming transducer of the LSTM kind, in the layout of the published ones."""
    for package in ("sherpa_onnx", "onnx"):
        if importlib.util.find_spec(package) is None:
            pytest.skip(f"{package} is not installed")
    from onnx import helper, numpy_helper, save  # noqa: PLC0415

    def value(name, shape, kind=1):
        return helper.make_tensor_value_info(name, kind, shape)

    def write(name, nodes, inputs, outputs, constants, about):
        fixed = [numpy_helper.from_array(array, key) for key, array in constants.items()]
        graph = helper.make_graph(nodes, name, inputs, outputs, fixed)
        opset = [helper.make_opsetid("", 13)]
        model = helper.make_model(graph, opset_imports=opset, ir_version=8)
        helper.set_model_props(model, {key: str(told) for key, told in about.items()})
        save(model, str(tmp_path / f"{name}.onnx"))

    node, state = helper.make_node, [1, "N", D]
    write(
        "encoder",
        [
            node("ReduceMean", ["x"], ["mean"], axes=[1], keepdims=1),
            node("MatMul", ["mean", "weights"], ["encoder_out"]),
            node("Identity", ["h"], ["next_h"]),
            node("Identity", ["c"], ["next_c"]),
        ],
        [value("x", ["N", "T", 80]), value("h", state), value("c", state)],
        [value("encoder_out", ["N", 1, D]), value("next_h", state), value("next_c", state)],
        {"weights": np.full((80, D), 0.01, np.float32)},
        {"model_type": "lstm", "num_encoder_layers": 1, "T": FRAMES, "decode_chunk_len": 4}
        | {"rnn_hidden_size": D, "d_model": D},
    )
    write(
        "decoder",  # what was said last
        [
            node("Gather", ["said", "y"], ["both"]),
            node("Slice", ["both", "one", "two", "one"], ["last"]),
            node("Squeeze", ["last", "one"], ["decoder_out"]),
        ],
        [value("y", ["N", 2], 7)],
        [value("decoder_out", ["N", D])],
        {"said": np.eye(D, dtype=np.float32), "one": np.array([1]), "two": np.array([2])},
        {"context_size": 2, "vocab_size": D},
    )
    write(
        "joiner",  # what comes after it: GO, FOR, WARD, and then nothing
        [
            node("MatMul", ["decoder_out", "nexts"], ["logit_of_said"]),
            node("Mul", ["encoder_out", "zero"], ["nothing"]),
            node("Add", ["logit_of_said", "nothing"], ["logit"]),
        ],
        [value("encoder_out", ["N", D]), value("decoder_out", ["N", D])],
        [value("logit", ["N", D])],
        {
            "nexts": np.array([[0, 3, 0, 0], [0, 0, 3, 0], [0, 0, 0, 3], [3, 0, 0, 0]], np.float32),
            "zero": np.array(0, np.float32),
        },
        {"joiner_dim": D},
    )
    (tmp_path / "tokens.txt").write_text(TOKENS)
    return tmp_path


def said(words):
    return " ".join(word.word for word in words)


@pytest.mark.parametrize("biased", [False, True])
def test_words_come_while_they_are_spoken(tiny, settings, biased):
    if biased:
        vocabulary = [line.split()[0] for line in TOKENS.splitlines()]
        (tiny / "bpe.vocab").write_text("".join(f"{piece}\t-1\n" for piece in vocabulary))
    recognizer = sherpa_onnx.create(str(tiny), settings).load()(("go",))
    partials = []
    for _ in range(12):
        recognizer.feed(NOISE)
        partials.append(said(recognizer.words))
    assert partials[0] == ""
    assert partials[-1].startswith("go forward")  # a beam finds a way to say it again
    assert said(recognizer.finish()).startswith("go forward")
    recognizer.feed(NOISE)
    recognizer.drop()
    assert recognizer.words == ()
    recognizer.bias(())
    recognizer.close()
