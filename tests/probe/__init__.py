"""The probe against a simulated provider, and its decisions by themselves."""
