"""Tests of the services that make videos."""
