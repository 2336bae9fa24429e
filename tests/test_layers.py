"""The shape of the house: what is pure stays pure, and imports point inward."""

import ast
import sys
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

PACKAGE = Path(__file__).resolve().parents[1] / "turnkit"
MODULES = sorted(PACKAGE.rglob("*.py"))
PURE = [
    *(PACKAGE / "turn").glob("*.py"),
    *PACKAGE.rglob("*_wire.py"),
    *(PACKAGE / name for name in ("playout.py", "history.py", "far_end.py", "timeline.py")),
    *(
        PACKAGE / "audio" / f"{name}.py"
        for name in ("echo", "frames", "framer", "g711", "levels", "ogg", "pcm", "resample")
    ),
    *(
        PACKAGE / "engine" / f"{name}.py"
        for name in (
            *("activity", "answers", "barge_in", "confidence", "endpointer", "holds", "overlap"),
            *("pause", "pitch", "prosody", "wording"),
        )
    ),
    *(
        PACKAGE / "sources" / "flux" / f"{name}.py"
        for name in ("contract", "turns", "orders", "endings", "look")
    ),
    *(
        PACKAGE / "listen" / f"{name}.py"
        for name in ("breaches", "fault_specs", "faults", "player", "script", "scripted", "trouble")
    ),
    *(
        PACKAGE / "sources" / "aigateway" / f"{name}.py"
        for name in ("join", "stretches", "story", "pulse")
    ),
    *(
        PACKAGE / "sources" / "link" / f"{name}.py"
        for name in ("crowd", "pace", "retries", "ring", "supply", "tolerance")
    ),
    *(PACKAGE / "doctor" / f"{name}.py" for name in ("finding", "engine_log", "engine_toml")),
    PACKAGE / "aigateway.py",
    PACKAGE / "ledger.py",
    PACKAGE / "tts" / "clauses.py",
]
IMPURE = {
    *("anyio", "asyncio", "logging", "os", "random", "secrets", "socket", "structlog"),
    *("subprocess", "threading", "time", "uuid", "websockets", "starlette", "uvicorn"),
}
MAX_LINES = 420
MAX_BODY_LINES = 45


def imports(path: Path) -> list[str]:
    """The modules a file imports, wherever in it."""
    found = []
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.append(node.module)
            found += [f"{node.module}.{alias.name}" for alias in node.names]
    return found


def name_of(path: Path) -> str:
    return ".".join(path.relative_to(PACKAGE.parent).with_suffix("").parts).removesuffix(
        ".__init__"
    )


@pytest.mark.parametrize("path", PURE, ids=name_of)
def test_what_is_pure_touches_no_clock_no_network_and_no_chance(path):
    assert not {name.split(".")[0] for name in imports(path)} & IMPURE


def test_the_turn_machine_knows_the_standard_library_and_itself():
    for path in (PACKAGE / "turn").glob("*.py"):
        for name in imports(path):
            top = name.split(".")[0]
            assert top in sys.stdlib_module_names or name.startswith("turnkit.turn"), path


def test_asyncio_itself_is_used_where_a_clock_or_a_server_needs_it_only():
    users = {name_of(p) for p in MODULES if any(i.split(".")[0] == "asyncio" for i in imports(p))}
    assert users == {
        "turnkit.bell",
        "turnkit.client_socket",
        "turnkit.clock",
        "turnkit.llm.http1",
        "turnkit.llm.pool",
        "turnkit.testing.clock",
        "turnkit.unruly",
    }


def test_imports_make_no_circle():
    names = {name_of(path) for path in MODULES}
    graph = {}
    for path in MODULES:
        tree = ast.parse(path.read_text())
        at_import = [node for node in tree.body if isinstance(node, ast.Import | ast.ImportFrom)]
        wanted = set()
        for node in at_import:
            if isinstance(node, ast.ImportFrom) and node.module:
                wanted |= {node.module, *(f"{node.module}.{a.name}" for a in node.names)}
            elif isinstance(node, ast.Import):
                wanted |= {alias.name for alias in node.names}
        graph[name_of(path)] = (wanted & names) - {name_of(path), "turnkit"}
    list(TopologicalSorter(graph).static_order())


def test_no_product_code_needs_the_server_but_the_command_line():
    server = {"turnkit.server", "turnkit.asgi"}
    users = {name_of(path) for path in MODULES if server & set(imports(path))}
    users -= {
        "turnkit.testing.threaded",  # a server for other people's tests
        "turnkit.workers",  # several servers
    }
    assert all(name.startswith("turnkit.commands.") for name in users)


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_a_file_is_one_idea_and_a_function_fits_the_screen(path):
    text = path.read_text()
    assert len(text.splitlines()) <= MAX_LINES
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            length = node.end_lineno - node.body[0].lineno + 1
            assert length <= MAX_BODY_LINES, f"{node.name} has {length} lines"


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_a_file_says_first_what_it_is_for(path):
    assert ast.get_docstring(ast.parse(path.read_text()))
