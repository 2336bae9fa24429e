"""The command that a report says measures a suite again."""

from pathlib import Path

import pytest

from benchmarks.bench import Asked, own_command
from benchmarks.suites import Options


@pytest.mark.parametrize(
    ("command", "suites", "alone"),
    [
        ("turnkit bench --quick", (), "turnkit bench overhead --quick"),
        ("turnkit bench policy overhead", ("policy", "overhead"), "turnkit bench overhead"),
        (
            "turnkit bench overhead --parts turns --out x",
            ("overhead",),
            "turnkit bench overhead --parts turns --out x",
        ),
    ],
)
def test_a_suites_own_command_is_without_the_others(command, suites, alone):
    asked = Asked(suites, Options(), Path("x"), command)
    assert own_command("overhead", asked) == alone
