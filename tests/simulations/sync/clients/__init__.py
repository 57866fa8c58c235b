"""Tests of the simulated lip-sync service with other people's clients."""
