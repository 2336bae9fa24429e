"""The providers of the load suites, within the test's own event loop."""

import pytest

pytest.importorskip("picows", reason="the load suites need the extra `bench`")
pytest.importorskip("psutil", reason="the load suites need the extra `bench`")
