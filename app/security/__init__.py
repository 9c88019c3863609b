"""Roles, the one row filter, signing in."""
