"""Opens a WebSocket over a route, which says in its own words what came of it."""

from typing import Protocol

from websockets.asyncio.client import ClientConnection
from websockets.http11 import Response

from turnkit.dial import NotTrusted, Offer, Refused, Unreachable, dial
from turnkit.errors import SourceError
from turnkit.sources.link.patience import Patience

_WRITE_LIMIT_BYTES = 4096  # audio that cannot leave is to wait in the ring, where it is bounded


class Route(Protocol):
    """A way to a server, and what it means by a no."""

    def refused(self, response: Response) -> SourceError:
        """Say that it refused the handshake."""

    def not_trusted(self, why: str) -> SourceError:
        """Say that it cannot be spoken to as itself."""

    def lost(self, what: str) -> SourceError:
        """Say that it is not there, or no more."""


async def knock(route: Route, url: str, offer: Offer, patience: Patience) -> ClientConnection:
    """Open a WebSocket; `url` has its query. Raises what the route makes of a failure."""
    try:
        return await dial(
            url,
            offer,
            open_s=patience.open_s,
            close_s=patience.close_s,
            write_limit_bytes=_WRITE_LIMIT_BYTES,
        )
    except Refused as exc:
        raise route.refused(exc.response) from exc
    except NotTrusted as exc:
        raise route.not_trusted(str(exc)) from exc
    except Unreachable as exc:
        raise route.lost(f"cannot be reached: {exc}") from exc
