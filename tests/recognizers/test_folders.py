"""What users are told of the models they name."""

import re

import pytest

from turnkit.config import Settings
from turnkit.errors import ConfigError
from turnkit.plug import open_speech_model
from turnkit.recognizers.folders import best_file

KINDS = {
    "vosk": ("am/final.mdl", "conf/mfcc.conf"),
    "faster-whisper": ("model.bin", "config.json", "tokenizer.json"),
    "moonshine": ("tokenizer.bin", "encoder.ort"),
}


def chosen(spec):
    return open_speech_model(Settings.model_construct(recognizer=spec))


@pytest.mark.usefixtures("standins")
class TestInstalled:
    @pytest.mark.parametrize("name", KINDS)
    def test_without_a_model_it_says_what_one_is(self, name):
        with pytest.raises(ConfigError, match=rf"--set recognizer={name}:FOLDER, which holds"):
            chosen(name)

    @pytest.mark.parametrize("name", KINDS)
    def test_a_folder_that_is_none_is_named(self, name):
        with pytest.raises(ConfigError, match=r"/nowhere is no folder; name a model's"):
            chosen(f"{name}:/nowhere")

    @pytest.mark.parametrize("name", KINDS)
    def test_what_is_missing_in_a_folder_is_named(self, name, folder):
        place = folder(KINDS[name][0], called="tiny-streaming-en")
        wanted = re.escape(KINDS[name][1].replace("encoder", "*"))
        with pytest.raises(ConfigError, match=rf"missing: .*{wanted}"):
            chosen(f"{name}:{place}")

    @pytest.mark.parametrize("name", KINDS)
    def test_a_whole_one_is_taken(self, name, folder):
        place = folder(*KINDS[name], called="tiny-streaming-en")
        model = chosen(f"{name}:{place}")
        assert (model.folder, model.trusted, model.apart) == (place, True, True)


@pytest.mark.parametrize("name", ["vosk", "faster-whisper", "sherpa-onnx", "moonshine"])
def test_a_missing_package_is_named_with_the_command_that_installs_it(name, monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", nothing_but_ours(name))
    package = {"moonshine": "moonshine-voice"}.get(name, name)
    with pytest.raises(ConfigError, match=rf"not installed; .*`pip install {package}`"):
        chosen(f"{name}:/model")


def nothing_but_ours(name):
    from importlib.util import find_spec  # noqa: PLC0415  # before it is replaced

    return lambda module: find_spec(module) if module.startswith("turnkit") else None


def test_full_precision_is_preferred(folder):
    place = folder("encoder-1.int8.onnx", "encoder-epoch-99-1.onnx")
    assert best_file(place, "encoder*.onnx").name == "encoder-epoch-99-1.onnx"
    assert best_file(place, "joiner*.onnx") is None


def test_a_recognizer_nobody_knows_is_an_error():
    with pytest.raises(ConfigError, match="recognizer 'vosc' is unknown; did you mean 'vosk'"):
        chosen("vosc:/model")
