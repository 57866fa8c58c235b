"""Hearing the caller: when a turn begins and ends."""
