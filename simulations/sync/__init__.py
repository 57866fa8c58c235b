"""The simulated lip-sync service: videos made of videos and sound, with plans, limits, webhooks, books and faults."""
