"""Alerts: rules that find something to say, an outbox that keeps it, channels that send it."""
