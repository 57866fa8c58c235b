"""What can go wrong at the simulated provider: the faults' names, when they strike, and what they do."""
