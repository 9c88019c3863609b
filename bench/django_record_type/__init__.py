"""The record type of `docs/add-a-record-type.md` in stock Django admin, with the plugins that it needs for the same things."""
