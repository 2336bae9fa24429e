"""Which file is what, how much of it is read, and what they say together."""

import pytest

from turnkit.doctor import files
from turnkit.doctor.files import read_files
from turnkit.errors import ConfigError

PREWARMED = "INFO impeller::flux::prewarm: Finished prewarming Flux model"
FLUX = 'Inserting model key=AsrKey { name: "flux-general-en", architecture: Some(Flux) }'


def troubles(*paths):
    return [f for f in read_files(paths, "flux-general-en") if f.grade != "good"]


@pytest.fixture
def write(tmp_path):
    def write(name, text):
        path = tmp_path / name
        path.write_text(text)
        return path

    return write


def test_a_file_that_is_present_and_disabled_is_said_to_be(write):
    log = write("engine.log", FLUX)
    toml = write("engine.toml", "[health]\ngpu_required = true\n[flux]\nenabled = false")
    off, idle = troubles(log, toml)
    assert off.what == "[flux] enabled is False: Flux is off"
    assert idle.what.endswith("Flux was never started: it is disabled in engine.toml")


def test_what_is_not_there_is_refused(tmp_path):
    with pytest.raises(ConfigError, match=r"engine\.toml is not there; give"):
        list(read_files([tmp_path / "engine.toml"], "flux-general-en"))


def test_a_log_of_any_bytes_is_read(write, tmp_path):
    path = tmp_path / "engine.log"
    path.write_bytes(b"\xff\xfe\x00" + PREWARMED.encode() + b"\n" + b"x" * 100_000)
    assert troubles(path) == []


def test_a_log_without_an_end_is_read_in_part_and_that_is_said(write, monkeypatch):
    monkeypatch.setattr(files, "MAX_LOG_CHARS", len(PREWARMED) + 2)
    path = write("engine.log", f"{PREWARMED}\nx\nCUDA out of memory\n")
    (cut,) = troubles(path)
    assert cut.what == f"only its first {len(PREWARMED) + 2} characters were read"


def test_a_log_without_lines_is_read_as_far_as_any(write, monkeypatch):
    monkeypatch.setattr(files, "MAX_LOG_CHARS", 10_000)
    _, cut = troubles(write("engine.log", "x" * 100_000))
    assert cut.what == "only its first 10,000 characters were read"


def test_a_folder_is_refused(tmp_path):
    with pytest.raises(ConfigError, match="is no file"):
        troubles(tmp_path)


def test_a_configuration_of_great_size_is_refused(write, monkeypatch):
    monkeypatch.setattr(files, "MAX_TOML_BYTES", 10)
    with pytest.raises(ConfigError, match="larger than 10 bytes"):
        troubles(write("engine.toml", "[flux]\nenabled = true"))
