"""Tests of what can go wrong at the simulated provider."""
