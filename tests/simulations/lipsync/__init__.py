"""Tests of the queue's simulated world."""
