"""Tests of the simulated Waves provider with other people's clients."""
