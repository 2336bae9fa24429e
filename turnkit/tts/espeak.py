"""espeak-ng inside the process: sound within 2 ms of asking, with no network, in 100 languages.

`--voice espeak` or `--voice espeak:NAME`, such as `espeak:en-us+f3` or `espeak:de`. The library
comes with the package espeakng-loader and is GPL-3.0-or-later, so it is an extra and not imported
unless this voice is asked for; `--voice program:espeak-ng` keeps it in a process of its own.

Measured on one core of a small cloud machine: 5 to 20 ms to load, once; then 0.55 ms for a second
of speech. A clause of 3 s takes 2 ms, which the event loop could spare, but a text that has to be
spelt out takes a hundred times that: so a worker thread makes it.

It marks where its words begin: half of them within 8 ms of where pocketsphinx finds them, and 95 %
within 37 ms.
"""

import ctypes
import re
import threading
from collections.abc import AsyncGenerator, Iterator
from functools import cache
from pathlib import Path

from anyio import Lock, to_thread

from turnkit.config import Settings
from turnkit.errors import ConfigError, SynthesisError
from turnkit.tts.base import Mark, Synthesizer
from turnkit.tts.clauses import LIMIT_CHARS, ClauseCutter

VOICE = "en-us+f5"
"""The default. Of the female and male variants tried, pocketsphinx understands this one best."""

_RATE_WORDS_PER_MINUTE = 165  # the library's 175 is a reader's pace, not a speaker's
_PIECE_MS = 500  # each costs the worker a wait for the interpreter, up to 5 ms under load
_EXAMPLES = "en-us, en-us+f3, en-us+m3, en, de, es"

# From espeak-ng's speak_lib.h.
_SYNCHRONOUS = 2
_DONT_EXIT = 0x8000
_RATE = 1
_UTF8 = 0x1
_IPA = 0x2
_END_PAUSE = 0x1000
_OK = 0
_GO_ON = 0
_ABORT = 1
_NO_MORE_EVENTS = 0
_WORD_BEGINS = 1


class _Event(ctypes.Structure):
    """What happens at a sample of the audio: espeak_EVENT."""

    _fields_ = (
        *(("type", ctypes.c_int), ("identifier", ctypes.c_uint)),
        *(("text_position", ctypes.c_int), ("length", ctypes.c_int)),  # characters, from 1
        *(("audio_position_ms", ctypes.c_int), ("sample", ctypes.c_int)),
        *(("user_data", ctypes.c_void_p), ("id", ctypes.c_char * 8)),
    )


_CALLBACK = ctypes.CFUNCTYPE(
    ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.POINTER(_Event)
)
_SYNTH_ARGUMENTS = (
    *(ctypes.c_char_p, ctypes.c_size_t),  # text, its size
    *(ctypes.c_uint, ctypes.c_int, ctypes.c_uint),  # start, in which unit, end
    *(ctypes.c_uint, ctypes.c_void_p, ctypes.c_void_p),  # flags, identifier, user data
)
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")


def create(argument: str | None, settings: Settings) -> Synthesizer:  # noqa: ARG001
    """Return this voice. Raises ConfigError where it is not installed or has no such name."""
    voice = argument or VOICE
    library = _library()
    library.check(voice)
    return EspeakSynthesizer(voice, library)


def phonemes(text: str, voice: str = VOICE) -> str:
    """Return how the voice says the first clause of `text`, in IPA. Raises ConfigError."""
    return _library().phonemes(text, voice)


class EspeakSynthesizer:
    """One voice of the library, which all of them share."""

    def __init__(self, voice: str, library: "_Library") -> None:
        self._voice = voice
        self._library = library
        self._turn = Lock()  # who waits here can be cancelled, and takes up no thread
        self.sample_rate_hz = library.sample_rate_hz

    async def speak(self, text: str) -> AsyncGenerator[bytes | Mark, None]:
        """Yield the audio of `text`, a word at a time, and the pause its last mark asks for."""
        start = 0
        for breath in _breaths(text):
            for piece in await self._say(breath) if breath.strip() else ():
                yield Mark(start + piece.character) if isinstance(piece, Mark) else piece
            start += len(breath)

    async def _say(self, text: str) -> list[bytes | Mark]:
        stop = threading.Event()
        try:
            async with self._turn:
                return await to_thread.run_sync(
                    self._library.say,
                    text,
                    self._voice,
                    stop,
                    abandon_on_cancel=True,  # the thread sees `stop` within 0.3 ms
                )
        finally:
            stop.set()


class _Library:
    """The loaded library. Its state is the process's, so there is one, and one caller at a time."""

    def __init__(self, library_file: str, data_folder: str) -> None:
        self._variants = Path(data_folder, "voices", "!v")
        self._calls = ctypes.CDLL(library_file)
        self.sample_rate_hz: int = self._calls.espeak_Initialize(
            _SYNCHRONOUS, _PIECE_MS, data_folder.encode(), _DONT_EXIT
        )
        if self.sample_rate_hz <= 0:
            raise OSError(f"{data_folder} holds no data, or is a path over 159 characters")
        self._pieces: list[bytes] = []
        self._words: list[tuple[int, int]] = []
        self._stop = threading.Event()
        self._callback = _CALLBACK(self._take)  # kept, or the library would call freed memory
        self._calls.espeak_SetSynthCallback(self._callback)
        self._calls.espeak_Synth.argtypes = _SYNTH_ARGUMENTS
        self._calls.espeak_TextToPhonemes.restype = ctypes.c_char_p
        self._calls.espeak_SetParameter(_RATE, _RATE_WORDS_PER_MINUTE, 0)
        self._lock = threading.Lock()

    def check(self, voice: str) -> None:
        """Raise ConfigError unless there is such a voice, variant included."""
        _, _, variant = voice.partition("+")
        with self._lock:
            is_known = self._calls.espeak_SetVoiceByName(voice.encode()) == _OK
        if not is_known or (variant and not (self._variants / variant).is_file()):
            raise ConfigError(f"voice espeak: {voice!r} is not known; try one of {_EXAMPLES}")

    def say(self, text: str, voice: str, stop: threading.Event) -> list[bytes | Mark]:
        """Return the audio of `text` and its marks, or what there is of it when `stop` is set."""
        data = text.encode(errors="replace")
        with self._lock:
            self._pieces, self._words, self._stop = [], [], stop
            self._calls.espeak_SetVoiceByName(voice.encode())
            status = self._calls.espeak_Synth(
                data, len(data) + 1, 0, 0, 0, _UTF8 | _END_PAUSE, None, None
            )
            if status != _OK:
                raise SynthesisError(f"espeak-ng refused {len(text)} characters, status {status}")
            return list(_marked(b"".join(self._pieces), self._words, text))

    def phonemes(self, text: str, voice: str) -> str:
        """Return how the voice says the first clause of `text`, in IPA."""
        place = ctypes.c_char_p(text.encode(errors="replace"))
        with self._lock:
            self._calls.espeak_SetVoiceByName(voice.encode())
            said = self._calls.espeak_TextToPhonemes(ctypes.byref(place), _UTF8, _IPA)
        return (said or b"").decode()

    def _take(
        self,
        samples: "ctypes._Pointer[ctypes.c_short]",
        count: int,
        events: "ctypes._Pointer[_Event]",
    ) -> int:
        if samples and count:
            self._pieces.append(ctypes.string_at(samples, 2 * count))
        number = 0
        while (event := events[number]).type != _NO_MORE_EVENTS:
            if event.type == _WORD_BEGINS:
                self._words.append((event.sample, event.text_position - 1))
            number += 1
        return _ABORT if self._stop.is_set() else _GO_ON


@cache
def _library() -> _Library:
    try:
        import espeakng_loader  # noqa: PLC0415  # an extra, and GPL

        return _Library(espeakng_loader.get_library_path(), espeakng_loader.get_data_path())
    except (ImportError, OSError, RuntimeError) as exc:
        raise ConfigError(
            f"voice espeak cannot be loaded: {exc}; install it with `pip install 'turnkit[local]'`"
        ) from exc


def _breaths(text: str) -> list[str]:
    """Cut the text into parts of bounded length, with nothing the library would trip over.

    Joined they are as long as the text, so that a place in them is one in it.
    """
    plain = _CONTROL.sub(" ", text)
    if len(plain) <= LIMIT_CHARS:
        return [plain]
    cutter = ClauseCutter()
    return cutter.feed(plain) + cutter.flush()


def _marked(audio: bytes, words: list[tuple[int, int]], text: str) -> Iterator[bytes | Mark]:
    """Cut the audio where words begin, and put marks there.

    A word of the library's may be part of one in the text ("42" is two, and so is "well-known"),
    and it may take a sign of its own for the word before.
    """
    cut, newest = 0, -1
    for sample, character in words:
        if character <= newest or not _begins_word(text, character):
            continue
        if audio[cut : 2 * sample]:
            yield audio[cut : 2 * sample]
        yield Mark(character)
        cut, newest = 2 * sample, character
    if audio[cut:]:
        yield audio[cut:]


def _begins_word(text: str, character: int) -> bool:
    before, here = text[:character][-1:], text[character : character + 1]
    return bool(here.strip()) and not before.strip()
