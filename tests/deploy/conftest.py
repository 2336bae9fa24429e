"""Cloudflare's own runtime, workerd, on this machine, with our Worker in it.

Its packages come once, with `npm ci`, into deploy/cloudflare/node_modules.
"""

import hashlib
import json
import re
import shutil
import subprocess
from contextlib import asynccontextmanager
from pathlib import Path

import anyio
import pytest

FOLDER = Path(__file__).resolve().parents[2] / "deploy" / "cloudflare"
HERE = Path(__file__).resolve().parent
INSTALL_S = 100  # less than a test may take
SECRET = "canary-4711"

CONFIG = """
using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [
    (name = "main", worker = .main),
    (name = "flux", external = (address = "{flux}", http = ())),
  ],
  sockets = [(name = "http", address = "127.0.0.1:0", http = (), service = "main")],
  extensions = [
    (modules = [(name = "test:ai", internal = true, esModule = embed "ai_binding.js")]),
  ],
);
const main :Workerd.Worker = (
  modules = [(name = "worker.js", esModule = embed "worker.js")],
  compatibilityDate = "{date}",
  bindings = [
    (name = "TURNKIT_SECRET", text = "{secret}"),
    (name = "ALLOWED_ORIGINS", text = "https://a.example https://b.example"),
    (name = "AI", wrapped = (moduleName = "test:ai", innerBindings = [
      (name = "flux", service = "flux"),
      (name = "model", text = "{model}"),
    ])),
  ],
);
"""


@pytest.fixture(scope="session")
def packages(tmp_path_factory):
    """The folder of the Worker's packages, installed if they are not there as locked."""
    if shutil.which("npm") is None or shutil.which("node") is None:
        pytest.skip("the Worker's test needs node and npm")
    stamp = FOLDER / "node_modules" / ".turnkit-installed"
    wanted = hashlib.sha256((FOLDER / "package-lock.json").read_bytes()).hexdigest()
    with _alone(tmp_path_factory.getbasetemp().parent / "npm.lock"):
        if not stamp.is_file() or stamp.read_text() != wanted:
            _install()
            stamp.write_text(wanted)
    return FOLDER / "node_modules"


def _install():
    command = ["npm", "ci", "--no-audit", "--no-fund", "--ignore-scripts"]
    try:
        done = subprocess.run(
            command, cwd=FOLDER, capture_output=True, text=True, timeout=INSTALL_S, check=False
        )
    except subprocess.TimeoutExpired:
        pytest.skip(f"`npm ci` in deploy/cloudflare took more than {INSTALL_S} s")
    if done.returncode:
        said = [line for line in done.stderr.splitlines() if line.startswith("npm error")]
        pytest.skip(f"`npm ci` in deploy/cloudflare failed: {' '.join(said)[:300]}")


def _alone(path):
    """Hold a lock among the processes of pytest-xdist; elsewhere there is but one."""
    try:
        import fcntl  # noqa: PLC0415  # not on Windows
    except ImportError:
        return path.open("w")
    file = path.open("w")
    fcntl.flock(file, fcntl.LOCK_EX)
    return file


@pytest.fixture(scope="session")
def workerd(packages):
    """The runtime's program: not npm's wrapper, which would outlive its child."""
    found = sorted(packages.glob("@cloudflare/workerd-*/bin/workerd"))
    if not found:
        pytest.skip("there is no workerd for this machine")
    return found[0]


@pytest.fixture(scope="session")
def bundle(packages, tmp_path_factory):
    """The Worker as one file, with what stands in for Workers AI beside it."""
    folder = tmp_path_factory.mktemp("worker")
    command = [packages / ".bin" / "esbuild", "src/index.ts", "--bundle", "--format=esm"]
    target = f"--outfile={folder / 'worker.js'}"
    subprocess.run([*command, target, "--log-level=warning"], cwd=FOLDER, check=True, timeout=60)
    shutil.copy(HERE / "ai_binding.js", folder)
    return folder


@pytest.fixture
def worker(workerd, bundle, tmp_path):
    """Run the Worker in front of a Flux server; gives its address, without a scheme."""

    @asynccontextmanager
    async def in_front_of(flux, *, model="", secret=SECRET):
        for file in bundle.iterdir():
            shutil.copy(file, tmp_path)
        address = re.sub(r"^\w+://|/.*$", "", flux)
        text = CONFIG.format(flux=address, model=model, secret=secret, date=_date())
        (tmp_path / "config.capnp").write_text(text)
        command = [str(workerd), "serve", "config.capnp", "--control-fd=1"]
        async with await anyio.open_process(command, cwd=tmp_path, stderr=None) as process:
            try:
                with anyio.fail_after(30):
                    line = await process.stdout.receive()
                yield f"127.0.0.1:{json.loads(line)['port']}"
            finally:
                process.terminate()
                with anyio.CancelScope(shield=True):
                    await process.wait()

    return in_front_of


def _date():
    (date,) = re.findall(r'"compatibility_date": "(.*)"', (FOLDER / "wrangler.jsonc").read_text())
    return date
