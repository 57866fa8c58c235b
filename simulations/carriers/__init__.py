"""Simulated phone companies: the carrier's side of each wire for one call, written from the carriers' documents.

Nothing here imports the program's codecs: two independent readings of the same documents check each other.
"""
