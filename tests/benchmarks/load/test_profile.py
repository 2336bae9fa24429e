"""The sampler finds what takes the time, in a process of its own."""

import subprocess
import sys
from pathlib import Path

import pytest
from rich.console import Console

from benchmarks.load.profile import tables
from benchmarks.load.subjects import sampled

PROGRAM = """
from time import process_time

def burn():
    while process_time() < 0.3:
        sum(range(1000))

burn()
"""


@pytest.mark.network
def test_the_function_that_takes_the_time_is_on_top(tmp_path):
    program, stacks = tmp_path / "program.py", tmp_path / "stacks"
    program.write_text(PROGRAM)
    sampler = str(Path(sampled.__file__))
    subprocess.run([sys.executable, sampler, str(stacks), str(program)], check=True, timeout=100)
    console = Console(record=True, width=120, quiet=False)
    own, _ = tables(stacks, most=1)
    with console.capture() as shown:
        console.print(own)
    assert "burn" in shown.get()
