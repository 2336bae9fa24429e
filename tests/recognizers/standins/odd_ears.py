"""A recognizer for trying out its process: what it hears decides what it does to it.

It hears a word for each 0.08 s. A first sample of 1 raises an error, of 2 ends the process.
"""

import os
import sys
from dataclasses import dataclass

from turnkit.sources.flux_wire import Word


def create(argument, settings):
    return OddModel(argument or "")


@dataclass(frozen=True)
class OddModel:
    argument: str
    trusted: bool = True
    apart: bool = True

    def load(self):
        if self.argument == "broken":
            raise OSError("the model is broken")
        sys.stdout.write("a library that talks\n")
        return OddEars


class OddEars:
    trusted = True

    def __init__(self, keyterms):
        self._expected = keyterms
        self.words = ()

    def feed(self, samples):
        match int(samples[0]):
            case 1:
                raise RuntimeError("what an odd sample")
            case 2:
                os._exit(7)
        said = self._expected[0] if self._expected else "word"
        self.words += (Word(said, 0.9, 0.0, 0.08),)

    def finish(self):
        words = self.words
        self.drop()
        return words

    def drop(self):
        self.words = ()

    def bias(self, keyterms):
        self._expected = keyterms

    def close(self):
        pass
