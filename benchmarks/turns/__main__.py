"""The turn-quality benchmark: see `python -m benchmarks.turns --help`."""

from benchmarks.turns.cli import main

main()
