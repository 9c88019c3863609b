"""Django's admin over the same table, with the same rows by its queryset; runs in an environment of its own (requirements-bench.in)."""
