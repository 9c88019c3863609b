"""Measurements, with what they are measured against."""
