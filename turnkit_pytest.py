"""turnkit's pytest plug-in: the fixture `flux_server`, a Flux-compatible server for any framework.

It is a module of its own so that test runs which do not use it import nothing of turnkit.
"""

from collections.abc import Iterator
from contextlib import ExitStack
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from turnkit.testing.threaded import StartFlux


@pytest.fixture
def flux_server() -> Iterator["StartFlux"]:
    """Start Flux-compatible servers, each on a thread of its own, which end with the test.

    Example:
        ::

            def test_my_bot(flux_server):
                flux = flux_server(says=["A table [0.8] for two."], faults=["drop@5s"])
                run_my_bot(url=flux.url)
                assert flux.received[0].audio_bytes > 32000
    """
    from turnkit.testing.threaded import flux_in_thread  # noqa: PLC0415  # see above

    with ExitStack() as servers:
        yield lambda **wanted: servers.enter_context(flux_in_thread(**wanted))
