"""`turnkit listen`: Flux's `/v2/listen` for any client, answered by the engine, a script or a
recording, with faults if they are asked for.
"""

from turnkit.listen.app import Plan, create_listen_app, listen_routes

__all__ = ["Plan", "create_listen_app", "listen_routes"]
