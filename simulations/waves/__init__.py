"""The simulated Waves provider: speech over HTTP and WebSocket, with limits, books and faults."""
