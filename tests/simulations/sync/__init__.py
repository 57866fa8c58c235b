"""Tests of the simulated lip-sync service."""
