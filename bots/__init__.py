"""Bots that ship: small and readable, to be copied by a bot author."""
