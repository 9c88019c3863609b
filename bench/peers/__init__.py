"""The same list in other programs."""
