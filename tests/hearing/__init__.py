"""Tests of what a caller says."""
