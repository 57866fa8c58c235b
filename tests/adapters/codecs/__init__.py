"""Tests of carriers' wire formats."""
