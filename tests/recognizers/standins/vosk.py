"""The face of vosk 0.3.45; hears a word for each 0.25 s, and an end of its own after each 1 s."""

import json

WORDS = ("go", "forward", "[unk]", "ten", "meters", "now")


def SetLogLevel(level):
    pass


class Model:
    def __init__(self, model_path=None, model_name=None, lang=None):
        assert model_path is not None


class KaldiRecognizer:
    def __init__(self, *args):
        assert isinstance(args[0], Model)
        assert args[1] == 16000
        self._samples = 0
        self._told = 0
        self._with_words = False
        self._with_partial_words = False

    def SetWords(self, enable_words):
        self._with_words = enable_words

    def SetPartialWords(self, enable_partial_words):
        self._with_partial_words = enable_partial_words

    def AcceptWaveform(self, data):
        before = self._samples
        self._samples += len(data) // 2
        return int(before // 16000 != self._samples // 16000)

    def Result(self):
        return self.FinalResult()

    def PartialResult(self):
        words = self._heard()
        said = {"partial": " ".join(word["word"] for word in words)}
        if self._with_partial_words and words:
            said["partial_result"] = words
        return json.dumps(said)

    def FinalResult(self):
        words = self._heard()
        self._told += len(words)
        said = {"text": " ".join(word["word"] for word in words)}
        if self._with_words and words:
            said["result"] = words
        return json.dumps(said)

    def _heard(self):
        count = min(self._samples // 4000, len(WORDS))
        return [
            {"conf": 0.8, "start": n * 0.25, "end": (n + 1) * 0.25, "word": WORDS[n]}
            for n in range(self._told, count)
        ]
