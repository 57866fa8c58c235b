"""Tests of the queue of videos."""
