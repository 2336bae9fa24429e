"""One target under atheris, in the interpreter that has it; started by `python -m benchmarks.fuzz`.

python -m benchmarks.fuzz.run TARGET [libFuzzer's options]
"""

import sys

import atheris

with atheris.instrument_imports(include=["turnkit", "benchmarks"]):
    from benchmarks.fuzz.targets import TARGETS


def main() -> None:
    """Fuzz until libFuzzer has enough."""
    target = TARGETS[sys.argv.pop(1)]
    atheris.Setup(sys.argv, target)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
