"""The record type: only what this package holds is counted."""
