"""Tests of simulations.embedding."""
