"""What the simulated provider answers over plain HTTP."""
