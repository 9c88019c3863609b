"""What people see: one file per subject, a few lines per record type."""

from __future__ import annotations

from app.portal.builder import Portal


def register(portal: Portal) -> None:
    """Register every page of the portal."""
