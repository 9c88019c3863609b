"""Outbox relay, sweep, document production, schedule."""
