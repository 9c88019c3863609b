"""Benchmarks: what the portal does, measured beside what others do with the same."""
