"""The example of `docs/add-a-record-type.md`, run in a process of its own, so that no other test meets its record type."""
