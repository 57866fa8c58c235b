"""Tests of simulations.waves."""
