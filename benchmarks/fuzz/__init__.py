"""Fuzzing everything that reads what a peer wrote, with atheris (libFuzzer for Python).

    python -m benchmarks.fuzz [--runs 1000000] [TARGET ...]
    python -m benchmarks.fuzz --again FILE TARGET

Half of the inputs are bytes that libFuzzer mutates, the other half messages with some of their
parts replaced by strange ones. A target fails if a parser raises anything but the error it
documents, or if what it read is not read again from its own writing. The input is then kept in a
file, and `--again` shows what happens with it, without atheris.

atheris is used where it is installed, and else put into an environment in `.cache/fuzz`.
"""
