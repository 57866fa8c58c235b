"""The provider's speech recognition over a WebSocket."""
