"""Tests of the figures and pages of a run."""
