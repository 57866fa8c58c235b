"""Carriers' wire formats, one pure file each: messages in, events out, and back."""
