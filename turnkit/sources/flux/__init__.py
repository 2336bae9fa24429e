"""Flux over a WebSocket: audio up, turn events down, for any server of `/v2/listen`."""

from turnkit.sources.flux.factory import create
from turnkit.sources.flux.patience import Patience
from turnkit.sources.flux.retries import RetryPolicy
from turnkit.sources.flux.service import PATH
from turnkit.sources.flux.source import FluxSource, Outage

__all__ = ["PATH", "FluxSource", "Outage", "Patience", "RetryPolicy", "create"]
