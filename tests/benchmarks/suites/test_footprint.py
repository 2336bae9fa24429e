"""What is made of an environment whose packages are known; nothing is started but an import."""

from io import StringIO

import pytest
from rich.console import Console

from benchmarks.load import environments
from benchmarks.load.environments import Environment, Installed
from benchmarks.suites import Options, footprint

pytestmark = pytest.mark.network


@pytest.fixture(scope="module")
def found():
    with pytest.MonkeyPatch.context() as patch:
        packages = [Installed("big", "1.0", 4_000_000, 1_000_000)]
        packages += [Installed(f"small{n}", "1.0", 100_000, 0) for n in range(20)]
        patch.setattr(Environment, "ready", True)
        patch.setattr(Environment, "packages", lambda _: packages)
        return footprint.run(Options(rounds=1), Console(file=StringIO()))


def test_imports_and_the_start_of_the_server_are_timed(found):
    by_name = {one.name: one for one in found.metrics}
    whole, light = (by_name[f"footprint.import.{n}.cpu"].samples for n in ("agent", "turnkit"))
    assert whole[0] > light[0] > 0
    assert by_name["footprint.serve.ready"].samples[0] > 0
    assert by_name["footprint.serve.memory"].samples[0] > 1


def test_the_largest_packages_are_listed_and_the_others_summed_up(found):
    by_name = {one.name: one for one in found.metrics}
    assert by_name["footprint.installed.total"].samples == [7.0]
    assert by_name["footprint.installed.shipped"].samples == [6.0]
    sizes = found.tables[1].rows
    assert sizes[0] == ["big", "1.0", "5.0", "4.0", "1.0"]
    assert sizes[-2][:3] == ["9 others", "", "0.9"]
    assert sizes[-1][:3] == ["all 21", "", "7.0"]


def test_an_environment_is_told_package_by_package(tmp_path, monkeypatch):
    monkeypatch.setattr(environments, "FOLDER", tmp_path)
    some = Environment("some", ())
    info = some._site / "one-1.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: one\nVersion: 1.0\n")
    (info / "RECORD").write_text("one.py,,\n__pycache__/one.pyc,,\ngone.py,,\n")
    (some._site / "one.py").write_bytes(bytes(10))
    (some._site / "__pycache__").mkdir()
    (some._site / "__pycache__" / "one.pyc").write_bytes(bytes(30))
    assert some.packages() == [Installed("one", "1.0", 10, 30)]
