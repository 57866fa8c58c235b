"""Tests of simulations.capacity."""
