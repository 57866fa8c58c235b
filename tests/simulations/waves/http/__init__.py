"""Tests of simulations.waves.http."""
