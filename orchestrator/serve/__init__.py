"""Answering real calls: the port, the lines, and the calls that come in on them."""
