"""The one listener: plain HTTP requests and WebSocket upgrades on the same port."""
