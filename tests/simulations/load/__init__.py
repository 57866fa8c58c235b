"""Tests of simulations.load."""
