"""Organisations and who belongs to them: what the portal has before the record type comes."""
