"""Services that make videos of an avatar: each maps a vendor to ports/avatars.py."""
