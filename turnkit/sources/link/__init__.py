"""What turn sources behind a WebSocket share: to stay connected, and to send audio again."""
