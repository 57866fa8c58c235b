"""Tests of the simulated recogniser, Pulse."""
