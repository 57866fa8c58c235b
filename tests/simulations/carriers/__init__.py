"""Tests of simulations.carriers."""
