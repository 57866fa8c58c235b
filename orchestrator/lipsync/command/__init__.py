"""What `talkingstick lipsync ...` does: each file one of its commands, or what they share."""
