"""What single steps of the call path cost, with pytest-benchmark.

    turnkit bench micro
    pytest benchmarks/micro            # the same, with pytest-benchmark's own flags and table

A benchmark's name, without `test_`, is its metric's: the first word is its family. Ratios are
against `test_reference`, which is of the standard library alone, in the same run.
"""
