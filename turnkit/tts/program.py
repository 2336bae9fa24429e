"""A speech program on this computer: `flite`, or `espeak-ng` in a process of its own.

`--voice program` takes the first that is installed, `--voice program:flite` that one. Measured for
a sentence of 4 s: flite 50 ms, espeak-ng 15 ms, all of it before the first sound. Cancelling kills
the program.
"""

import shutil
import subprocess
import tempfile
import wave
from collections.abc import AsyncGenerator
from pathlib import Path

from anyio import CapacityLimiter, to_thread

from turnkit.audio.frames import samples_of
from turnkit.audio.resample import resample
from turnkit.config import Settings
from turnkit.errors import ConfigError, SynthesisError
from turnkit.tts.base import Synthesizer

SAMPLE_RATE_HZ = 16000
"""What comes out, whatever the program's own voice has."""

_DEADLINE_S = 10.0  # for the 4,000 characters a reply may have, flite takes 3 s
_AT_ONCE = 8  # programs; more only take the processor from one another
# The text comes on standard input; the last argument, the WAV file to write, is added.
_ARGUMENTS = {
    # rms is the voice pocketsphinx understands best: no word wrong, slt 15 in a hundred.
    "flite": ("-voice", "rms", "-f", "/dev/stdin", "-o"),
    "espeak-ng": ("-v", "en-us+f5", "-s", "165", "--stdin", "-w"),
}


def create(argument: str | None, settings: Settings) -> Synthesizer:  # noqa: ARG001
    """Return this voice. Raises ConfigError where the program is not installed."""
    wanted = [argument] if argument else list(_ARGUMENTS)
    if unknown := set(wanted) - set(_ARGUMENTS):
        known = ", ".join(_ARGUMENTS)
        raise ConfigError(f"voice program: {unknown.pop()!r} is not known; choose one of: {known}")
    for name in wanted:
        if path := shutil.which(name):
            return ProgramSynthesizer(name, (path, *_ARGUMENTS[name]))
    raise ConfigError(
        f"voice program: no {' or '.join(wanted)} on the PATH; install one with "
        f"{' or '.join(f'`apt-get install {name}`' for name in wanted)}, or choose `formant`"
    )


class ProgramSynthesizer:
    """Runs the program once for each text."""

    sample_rate_hz = SAMPLE_RATE_HZ

    def __init__(self, name: str, command: tuple[str, ...]) -> None:
        self._name = name
        self._command = command
        self._turns = CapacityLimiter(_AT_ONCE)

    async def speak(self, text: str) -> AsyncGenerator[bytes, None]:
        """Yield the audio of `text` in one piece."""
        said = text.replace("\0", " ").strip()
        if said:
            yield await self._run(said)

    async def _run(self, text: str) -> bytes:
        with tempfile.TemporaryDirectory() as folder:
            wav = Path(folder, "speech.wav")
            async with self._turns:
                await self._write(text.encode(errors="replace"), wav)
            return self._audio_in(wav)

    async def _write(self, text: bytes, wav: Path) -> None:
        # Not anyio's own processes: virtual time waits for threads, and for nothing else.
        process = self._start(wav)
        try:
            complaint = await to_thread.run_sync(
                self._finish, process, text, abandon_on_cancel=True
            )
        finally:
            process.kill()
            process.wait()  # at once: nothing can refuse to be killed
        if process.returncode:
            raise SynthesisError(f"{self._name} failed, code {process.returncode}: {complaint}")

    def _start(self, wav: Path) -> subprocess.Popen[bytes]:
        try:
            return subprocess.Popen(
                [*self._command, wav],
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
            )
        except OSError as exc:
            raise SynthesisError(f"{self._name} could not be run: {exc}") from exc

    def _finish(self, process: subprocess.Popen[bytes], text: bytes) -> str:
        """Give it the text and wait for its end; return the last line of its complaints."""
        with process:  # closes its pipes
            try:
                _, complaints = process.communicate(text, _DEADLINE_S)
            except subprocess.TimeoutExpired:
                process.kill()
                raise SynthesisError(
                    f"{self._name} took longer than {_DEADLINE_S:g} s; send it shorter texts"
                ) from None
        return complaints.decode(errors="replace").strip().rpartition("\n")[2]

    def _audio_in(self, wav: Path) -> bytes:
        try:
            with wave.open(str(wav), "rb") as reader:
                rate_hz = reader.getframerate()
                samples = samples_of(reader.readframes(reader.getnframes()))
        except (OSError, EOFError, wave.Error) as exc:
            raise SynthesisError(f"{self._name} wrote no WAV file: {exc}") from exc
        return resample(samples, rate_hz, SAMPLE_RATE_HZ).tobytes()
