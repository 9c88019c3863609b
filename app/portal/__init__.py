"""The low-code part: record type → list, form, page, API, menu, timeline, buttons."""
