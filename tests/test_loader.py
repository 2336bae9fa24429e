"""From a file or a name to the one Agent that is meant, or a message that says what is wrong."""

import json
import sys
from pathlib import Path

import pytest

from turnkit.agent import Agent
from turnkit.errors import ConfigError
from turnkit.loader import load_agent, try_out

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
        (
            "exits.py",
            "import sys\nsys.exit('no')",
            r".*exits\.py:2: SystemExit: no",
        ),
        ("nul.py", "a\0b", r"does not import: source code .* null bytes"),
        (
            "mute.py",
            "from turnkit import Agent\nclass Mute(Agent): pass",
            r"Mute has no reply\(\); write `async def",
        ),
        (
            "returns.py",
            "from turnkit import Agent\nclass Mute(Agent):\n  async def reply(self, turn): ...",
            r"reply\(\) of Mute never yields; write `async def",
        ),
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
    with pytest.raises(ConfigError, match="there is no such file"):
        load_agent(spec)


@pytest.mark.parametrize("spec", ["", ":"])
def test_nothing_at_all_is_no_agent(spec):
    with pytest.raises(ConfigError, match="name a file"):
        load_agent(spec)


def test_a_drive_is_no_file_and_its_path_no_class():
    with pytest.raises(ConfigError, match=r"mine\.py': there is no such file"):
        load_agent(r"C:\agents\mine.py")


def test_an_agent_may_have_the_name_of_a_module_everybody_uses(write):
    for name in ("json.py", "turnkit.py", "structlog.py"):
        assert load_agent(write(name, AGENT.format(name="Mine"))).__name__ == "Mine"
    assert json.loads("1") == 1
    assert sys.modules["turnkit"].__all__


def made(init):
    return (
        f"from turnkit import Agent\nclass Mine(Agent):\n    def __init__{init}\n"
        "    async def reply(self, turn):\n        yield 'hello'\n"
    )


@pytest.mark.parametrize(
    ("init", "message"),
    [
        ("(self): raise ValueError('no database')", r"mine\.py:3: ValueError: no database"),
        ("(self, database): pass", r"arguments: TypeError: .* argument: 'database'"),
    ],
)
def test_what_no_call_could_make_is_found_out_before_one(write, init, message):
    path = write("mine.py", made(init))
    agent = load_agent(path)
    with pytest.raises(ConfigError, match=message) as caught:
        try_out(agent, path)
    assert "\n" not in str(caught.value)


def test_what_an_agent_itself_says_of_the_settings_is_passed_on(write):
    path = write("mine.py", made("(self): import turnkit; raise turnkit.ConfigError('set DB')"))
    with pytest.raises(ConfigError, match=r"^set DB$"):
        try_out(load_agent(path), path)
