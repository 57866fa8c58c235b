"""Examples of talkingstick inside other programs, to be copied: each runs by `python -m`, without an account."""
