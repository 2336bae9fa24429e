"""A Flux-compatible server on a thread of its own, for tests of any framework, sync or async.

It is `turnkit listen` itself: the engine, a script or a recording, with faults if they are wanted.
Its clock is the audio it gets, so a client that sends faster than real time is answered faster.
"""

import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

import structlog
from anyio.from_thread import start_blocking_portal

from turnkit.config import Settings
from turnkit.engine.engine import open_engine
from turnkit.errors import ConfigError
from turnkit.listen.app import PATH, Plan, create_listen_app
from turnkit.listen.fault_specs import parse_fault
from turnkit.listen.faults import Fault
from turnkit.listen.players import playing, replaying
from turnkit.listen.service import OpenService
from turnkit.listen.visits import Visit
from turnkit.server import running


@dataclass(frozen=True, slots=True)
class RunningFlux:
    """A server, and what came to it."""

    base_url: str
    """Where it is, such as `ws://127.0.0.1:40217`, for clients that know the path."""
    received: list[Visit] = field(default_factory=list)
    """The connections that were accepted, in order: what each asked for, sent and was told."""

    @property
    def url(self) -> str:
        """The whole address of the service, without a query."""
        return self.base_url + PATH


class StartFlux(Protocol):
    """Starts a server: what the fixture `flux_server` is; see `flux_in_thread`."""

    def __call__(  # noqa: D102
        self,
        *,
        says: Sequence[str] | None = None,
        script: Path | str | None = None,
        replay: Path | None = None,
        faults: Sequence[str | Fault] = (),
        seed: int = 0,
    ) -> RunningFlux: ...


@contextmanager
def flux_in_thread(
    *,
    says: Sequence[str] | None = None,
    script: Path | str | None = None,
    replay: Path | None = None,
    faults: Sequence[str | Fault] = (),
    seed: int = 0,
) -> Iterator[RunningFlux]:
    """Serve on a free port of this machine for as long as the block runs.

    With neither `says` nor `script` nor `replay` the embedded engine listens to what comes.

    Args:
        says: what the caller says, turn by turn, whatever audio comes; `[0.8]` is a pause.
        script: a script, as a file or as TOML.
        replay: a recording of Flux's messages, or a trace.
        faults: what goes wrong, as for `turnkit listen --fault`, or as faults.
        seed: for what faults leave to chance.

    Raises ConfigError.
    """
    visits: list[Visit] = []
    plan = Plan(
        open_service=_service(says, script, replay),
        faults=tuple(parse_fault(f) if isinstance(f, str) else f for f in faults),
        seed=seed,
        visits=visits,
    )
    # Not Settings(): the environment and turnkit.toml of whoever runs the tests are theirs.
    settings = Settings.model_construct(max_calls=1000)
    app = create_listen_app(settings, plan)
    with (
        _quiet(),
        start_blocking_portal() as portal,
        portal.wrap_async_context_manager(running(app, settings)) as url,
    ):
        yield RunningFlux(url.replace("http", "ws", 1), visits)


def _service(
    says: Sequence[str] | None, script: Path | str | None, replay: Path | None
) -> OpenService:
    if sum(given is not None for given in (says, script, replay)) > 1:
        raise ConfigError("a Flux server plays one of says, script and replay")
    if isinstance(says, str):
        raise ConfigError(f"says is a list of turns; write says=[{says!r}]")
    if replay is not None:
        return replaying(replay)
    played = says if script is None else script
    return open_engine if played is None else playing(played)


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep a server's news out of the output of tests, unless they have set up logging."""
    if structlog.is_configured():
        yield
        return
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    try:
        yield
    finally:
        structlog.reset_defaults()
