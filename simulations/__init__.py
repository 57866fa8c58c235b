"""The other side: simulated providers, callers, loads and their reports."""
