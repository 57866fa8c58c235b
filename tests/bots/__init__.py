"""Tests of the bots that ship."""
