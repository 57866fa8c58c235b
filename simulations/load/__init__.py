"""`talkingstick load`: simulated callers on simulated carriers against a running server."""
