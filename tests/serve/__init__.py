"""Tests of answering real calls."""
