"""Flux over a WebSocket: audio up, turn events down, for any server of `/v2/listen`."""

from turnkit.sources.flux.factory import create
from turnkit.sources.flux.service import PATH
from turnkit.sources.flux.source import FluxSource
from turnkit.sources.link.patience import Patience
from turnkit.sources.link.reconnecting import Outage
from turnkit.sources.link.retries import RetryPolicy

__all__ = ["PATH", "FluxSource", "Outage", "Patience", "RetryPolicy", "create"]
