"""From a file or a name to the one Agent that is meant, or a message that says what is wrong."""

from pathlib import Path

import pytest

from turnkit.agent import Agent
from turnkit.errors import ConfigError
from turnkit.loader import load_agent

AGENT = """
from turnkit import Agent
class {name}(Agent):
    async def reply(self, turn):
        yield "hello"
"""


@pytest.fixture
def write(tmp_path: Path):
    def write(name, text):
        path = tmp_path / name
        path.write_text(text)
        return str(path)

    return write


def test_a_file_with_one_agent_is_that_agent(write):
    agent = load_agent(write("mine.py", AGENT.format(name="Mine")))
    assert agent.__name__ == "Mine"
    assert issubclass(agent, Agent)


def test_an_example_is_found_by_its_name():
    assert load_agent("echo").__name__ == "Echo"


def test_a_module_is_found_by_its_path():
    assert load_agent("turnkit.testing.fakes").__name__ == "ScriptedAgent"


def test_one_of_several_is_picked_by_name(write):
    path = write("two.py", AGENT.format(name="One") + AGENT.format(name="Two"))
    assert load_agent(f"{path}:Two").__name__ == "Two"


def test_an_agent_may_import_its_neighbour(write):
    write("a_neighbour.py", "WORDS = 'hi'")
    path = write("importing.py", "import a_neighbour" + AGENT.format(name="Mine"))
    assert load_agent(path).__name__ == "Mine"


def test_an_imported_agent_is_not_the_files_own(write):
    path = write(
        "imports.py", "from turnkit import Agent\nfrom turnkit.testing import ScriptedAgent"
    )
    with pytest.raises(ConfigError, match=r"no subclass of turnkit\.Agent in .*imports\.py"):
        load_agent(path)


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("none.py", "x = 1", r"no subclass of turnkit\.Agent"),
        (
            "two.py",
            AGENT.format(name="One") + AGENT.format(name="Two"),
            r"several agents \(One, Two\); pick one: .*two\.py:NAME",
        ),
        ("syntax.py", "def (", r"does not import: .*syntax\.py:1: "),
        ("raises.py", "\n1 / 0", r"does not import: .*raises\.py:2: ZeroDivisionError"),
        ("needs.py", "import not_installed_here", r"needs the package 'not_installed_here'"),
    ],
)
def test_what_is_wrong_with_a_file_is_said_in_one_line(write, name, text, message):
    with pytest.raises(ConfigError, match=message) as caught:
        load_agent(write(name, text))
    assert "\n" not in str(caught.value)


def test_a_missing_class_is_named(write):
    path = write("mine.py", AGENT.format(name="Mine"))
    with pytest.raises(ConfigError, match="no class Yours in"):
        load_agent(f"{path}:Yours")


@pytest.mark.parametrize("spec", ["missing.py", "missing_module", "missing.package.module"])
def test_a_place_that_does_not_exist_is_named(spec):
    with pytest.raises(ConfigError, match="no such file"):
        load_agent(spec)
