"""The demo: simulated callers at real telephone lines, in real time, with real sound."""
