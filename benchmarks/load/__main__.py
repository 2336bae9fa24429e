"""The former command line of the load: `python -m benchmarks.load NAME` is `turnkit bench NAME`.

`overhead` is its part `turns` here, and its `--turns` are those of all kinds together. `--out` is a
folder, of the name of the file that was asked for without its end.
"""

import sys

import typer

from benchmarks.load import profile
from benchmarks.load.plan import DEFAULT_CASES
from turnkit.cli import main


def _translated(arguments: list[str]) -> list[str]:
    given = list(arguments)
    if given[:1] == ["overhead"] and "--parts" not in given:
        given += ["--parts", "turns"]
        if "--turns" in given:
            place = given.index("--turns") + 1
            given[place] = str(max(1, int(given[place]) // len(DEFAULT_CASES)))
    if "--out" in given:
        place = given.index("--out") + 1
        given[place] = given[place].removesuffix(".json")
    return given


if __name__ == "__main__":
    if sys.argv[1:2] == ["profile"]:
        del sys.argv[1]
        typer.run(profile.main)
    sys.argv = ["turnkit", "bench", *_translated(sys.argv[1:])]
    main()
