"""With which versions a subject runs."""

import subprocess

import msgspec

from benchmarks.load.subjects import Subject

_VERSIONS = """
import importlib.metadata, json, sys
found = {"python": sys.version.split()[0]}
for name in sys.argv[1:]:
    try:
        found[name] = importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        found[name] = "not installed"
print(json.dumps(found))
"""


def versions(subject: Subject) -> dict[str, str]:
    """Ask a subject's own interpreter for the versions of its packages."""
    found = subprocess.run(
        [subject.python, "-c", _VERSIONS, *subject.packages],
        capture_output=True,
        check=True,
        timeout=30,
    )
    return msgspec.json.decode(found.stdout, type=dict[str, str])
