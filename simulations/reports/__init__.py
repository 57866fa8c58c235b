"""What a run comes to: its figures, from events and books, and the tables and pages that show them."""
