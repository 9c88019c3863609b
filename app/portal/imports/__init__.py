"""Import by Excel or JSON, generated for every record type that has a natural key: read, check, apply, answer."""
