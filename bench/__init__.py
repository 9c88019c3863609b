"""Benchmarks beside their peers, measured in the same run (spec 5); `make bench` runs them."""
