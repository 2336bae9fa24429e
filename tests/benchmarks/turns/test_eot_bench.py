"""eot-bench's rows as a pack."""

import io

import numpy as np
import pytest
import soundfile

from benchmarks.turns.eot_bench import rows, write_pack
from benchmarks.turns.manifest import load_pack
from benchmarks.turns.spans import pauses
from turnkit.errors import ConfigError


def encoded(seconds):
    file = io.BytesIO()
    soundfile.write(file, np.zeros(round(seconds * 16000), np.float32), 16000, format="WAV")
    return file.getvalue()


def row(*spans, **fields):
    return {
        "id": "turn-1",
        "language": "en",
        "audio": {"bytes": encoded(6.0)},
        "silence_spans": [{"start": start, "end": end} for start, end in spans],
        **fields,
    }


def test_every_silence_but_the_last_is_a_hold(tmp_path):
    words = [{"text": "so", "start": 0.5, "end": 1.0}, {"text": "yes", "start": 3.0, "end": 4.0}]
    assert write_pack([row((1.0, 1.05), (1.5, 2.5), (4.0, 6.0), words=words)], tmp_path) == 1
    (found,) = load_pack(tmp_path)
    assert [(p.kind, p.span.start_s) for p in pauses([found])] == [("hold", 1.5), ("end", 4.0)]
    assert found.turns[0].span == (0.0, 4.0)
    assert found.turns[0].speech == ((0.0, 1.5), (2.5, 4.0))
    assert (found.transcript, found.language, found.duration_s) == ("so yes", "en", 6.0)
    assert len(found.read()) == 96000


def test_a_silence_at_the_start_is_before_the_turn(tmp_path):
    write_pack([row((0.0, 0.8), (2.0, 6.0))], tmp_path)
    (found,) = load_pack(tmp_path)
    assert found.turns[0].span == (0.8, 2.0)
    assert not found.turns[0].holds


def test_audio_that_is_decoded_already_is_taken_too(tmp_path):
    audio = {"array": [0.0] * 8000, "sampling_rate": 8000}
    write_pack([row((0.5, 1.0), audio=audio)], tmp_path)
    assert load_pack(tmp_path)[0].duration_s == 1.0


@pytest.mark.parametrize(
    "bad", [row(), {"id": "x"}, row((1, 2), audio={"bytes": b"no file"}), row((1, 2), audio=None)]
)
def test_a_row_of_something_else_is_an_error(tmp_path, bad):
    with pytest.raises(ConfigError, match="row 0 is none of eot-bench"):
        write_pack([bad], tmp_path)


def test_parquet_files_are_read(tmp_path):
    parquet = pytest.importorskip("pyarrow.parquet", reason="pyarrow reads Parquet files")
    pyarrow = pytest.importorskip("pyarrow")
    file = tmp_path / "data.parquet"
    parquet.write_table(pyarrow.Table.from_pylist([row((1.0, 6.0))]), file)
    assert write_pack(rows([file]), tmp_path / "pack") == 1
    with pytest.raises(ConfigError, match="is no Parquet file"):
        list(rows([tmp_path / "pack" / "manifest.json"]))
