"""Who may ask the provider for speech next, and when the slot is free again."""
