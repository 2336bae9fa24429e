"""Real speech, and packages that are not installed here, played by small ones of the same face."""

import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import soundfile

from turnkit.audio.frames import Samples
from turnkit.config import Settings

STANDINS = Path(__file__).parent / "standins"


@pytest.fixture
def clip(shared: Path) -> Callable[[str], Samples]:
    """Read a clip of the development audio pack."""

    def read(name: str) -> Samples:
        samples, rate_hz = soundfile.read(shared / "audio" / f"{name}.flac", dtype="int16")
        assert rate_hz == 16000
        return samples

    return read


@pytest.fixture
def standins(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the stand-ins be imported, here and in processes that are started."""
    names = {file.stem for file in STANDINS.glob("*.py")}
    for name in names:
        monkeypatch.delitem(sys.modules, name, raising=False)
    monkeypatch.syspath_prepend(str(STANDINS))
    yield
    for name in names:
        sys.modules.pop(name, None)


@pytest.fixture
def folder(tmp_path: Path) -> Callable[..., Path]:
    """Make the folder of a model: empty files of these names."""

    def made(*names: str, called: str = "model") -> Path:
        for name in names:
            file = tmp_path / called / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.touch()
        return tmp_path / called

    return made


@pytest.fixture
def settings() -> Settings:
    """The defaults, whatever the environment says."""
    return Settings.model_construct()
