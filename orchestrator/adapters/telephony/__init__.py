"""Telephony legs."""
