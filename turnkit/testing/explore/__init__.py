"""Every order of events, to a depth: `python -m turnkit.testing.explore --depth 8`.

The shortest order that breaks an invariant comes back as a test to be run.
"""

from turnkit.testing.explore.alphabet import Alphabet, Letter, anything
from turnkit.testing.explore.breach import Breach
from turnkit.testing.explore.invariants import INVARIANTS, Invariant
from turnkit.testing.explore.search import POLICIES, Explored, explore, follow

__all__ = [
    "INVARIANTS",
    "POLICIES",
    "Alphabet",
    "Breach",
    "Explored",
    "Invariant",
    "Letter",
    "anything",
    "explore",
    "follow",
]
