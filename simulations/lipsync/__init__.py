"""The queue of videos in virtual time: the whole program, its service, its users, and its sudden deaths."""
