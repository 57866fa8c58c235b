"""What the simulated lip-sync service answers over HTTP."""
