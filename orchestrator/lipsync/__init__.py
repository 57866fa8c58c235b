"""Video answers: a durable queue in front of a service that makes few at a time."""
