"""What the program costs: processor time and memory of its parts and of whole simulated runs, each with its limit."""
