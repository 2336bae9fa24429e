"""The command line: `python -m turnkit.testing.explore --depth 8`."""

import argparse
import sys
import time

from turnkit.testing.explore.search import POLICIES, explore


def main() -> int:
    """Explore all policies from the command line, until one breaks an invariant."""
    parser = argparse.ArgumentParser(description="Try every order of events.")
    parser.add_argument("--depth", type=int, default=8, help="the length of the longest orders")
    options = parser.parse_args()
    print(f"{'policy':12} {'depth':>5} {'states':>7} {'steps':>9} {'orders':>9} {'s':>6}")  # noqa: T201
    for name, policy in POLICIES.items():
        began = time.perf_counter()
        found = explore(policy, depth=options.depth)
        print(  # noqa: T201
            f"{name:12} {found.depth:5} {found.states:7,} {found.steps:9,} {found.orders:9.1e} "
            f"{time.perf_counter() - began:6.1f}{'  all there are' if found.complete else ''}"
        )
        if found.breach is not None:
            print(f"\n{found.breach}")  # noqa: T201
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
