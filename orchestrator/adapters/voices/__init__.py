"""Speech providers and local voices."""
