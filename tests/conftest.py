"""What all tests share: virtual time by default, and where the shared recordings are."""

import logging
import os
from collections.abc import Iterator
from pathlib import Path

import hypothesis
import pytest
import structlog

from turnkit.testing.clock import LoopbackLoop, VirtualTimeLoop

# An example may take its time on a machine that is busy; and what fails, fails for everybody.
hypothesis.settings.register_profile(
    "turnkit",
    deadline=None,
    derandomize=True,
    suppress_health_check=[hypothesis.HealthCheck.too_slow],
)
hypothesis.settings.load_profile("turnkit")

BESIDE_THE_CHECKOUT = Path(__file__).resolve().parents[2] / "shared"


@pytest.fixture(autouse=True)
def _plain_log() -> Iterator[None]:
    """Log without colours and without locals in tracebacks, which take longer than the tests."""
    processors = [structlog.processors.format_exc_info, structlog.processors.KeyValueRenderer()]
    structlog.configure(processors=processors)
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    structlog.reset_defaults()
    root.handlers[:], root.level = handlers, level  # as before a test of `log.configure`


@pytest.fixture
def anyio_backend(request: pytest.FixtureRequest) -> object:
    """Run async tests on virtual time; those marked `network` on the real clock.

    Those marked `loopback` too have virtual time over real sockets, on which instants are exact
    however busy the machine is. Both ends of every socket must be in the test's own event loop.
    """
    marked = request.node.get_closest_marker
    if marked("loopback"):
        return "asyncio", {"loop_factory": LoopbackLoop}
    if marked("network") or marked("browser"):
        return "asyncio"
    return "asyncio", {"loop_factory": VirtualTimeLoop}


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of real speech and real Flux traffic beside the checkout, if it is there."""
    folder = Path(os.environ.get("SHARED_FOLDER", BESIDE_THE_CHECKOUT))
    if not folder.is_dir():
        pytest.skip("no shared recordings beside the checkout; set SHARED_FOLDER to their folder")
    return folder
