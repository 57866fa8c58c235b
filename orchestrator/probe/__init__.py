"""What an account of a speech provider allows and how fast it is: found out by asking it, told as settings."""
