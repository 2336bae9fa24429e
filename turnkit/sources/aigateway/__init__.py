"""AIgateway's realtime route: words from there, turns from our own ears, or from there if told."""

from turnkit.sources.aigateway.factory import create
from turnkit.sources.aigateway.source import AIgatewaySource

__all__ = ["AIgatewaySource", "create"]
