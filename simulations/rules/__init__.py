"""The rules that a run must keep, each a small reader of events; invariants.py asks them all."""
