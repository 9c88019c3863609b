"""Documents: pure functions from a stored plain context to HTML and PDF.

This package knows no database, no request and no clock. Wording and numbers are fixed when a
document is issued; what is stored then is enough to print it at any time.
"""

from collections.abc import Mapping
from typing import Any

from reports.approval_sheet import APPROVAL_SHEET
from reports.call_slip import CALL_SLIP
from reports.conclusion import CONCLUSION, REVIEW_DECISION, SUPERIOR_LETTER, VERIFICATION
from reports.context import Context, ContextError
from reports.faces import FacesError, configure, missing_glyphs
from reports.kind import DocumentKind, MissingGlyph, PressUnavailable, preview_kind, print_kind
from reports.onsite_record import ONSITE_RECORD
from reports.passage import PassageError
from reports.rectification import RECTIFICATION
from reports.redhead import CORRECTION, CRITICISM
from reports.reminder import REMINDER
from reports.statistics import STATISTICS
from reports.supervision import SUPERVISION

__all__ = [
    "KINDS",
    "Context",
    "ContextError",
    "DocumentKind",
    "FacesError",
    "MissingGlyph",
    "PassageError",
    "PressUnavailable",
    "configure",
    "missing_glyphs",
    "render",
    "render_html",
    "warm_up",
]

KINDS: dict[str, DocumentKind] = {
    kind.name: kind
    for kind in (
        CALL_SLIP,
        ONSITE_RECORD,
        REMINDER,
        SUPERVISION,
        VERIFICATION,
        CONCLUSION,
        SUPERIOR_LETTER,
        STATISTICS,
        CRITICISM,
        CORRECTION,
        RECTIFICATION,
        REVIEW_DECISION,
        APPROVAL_SHEET,
    )
}
"""Every kind by its name."""


def render(kind: str, context: Mapping[str, Any], *, texts: Mapping[str, str] | None = None) -> bytes:
    """The PDF of a stored ``context``, with the administrators' ``texts`` in place of factory ones.

    The same context, texts and faces give the same bytes. Raises :class:`ContextError` naming the
    field, :class:`PassageError` for a malformed text, :class:`MissingGlyph` naming the characters
    that cannot be printed, :class:`PressUnavailable` where system libraries are missing.
    """
    return print_kind(KINDS[kind], context, texts)


def render_html(kind: str, context: Mapping[str, Any], *, texts: Mapping[str, str] | None = None) -> str:
    """The same document as a self-contained HTML page, for a preview on a screen."""
    return preview_kind(KINDS[kind], context, texts)


def warm_up() -> None:
    """Load faces and style sheets of all kinds, so that a worker's first document is a fast one."""
    for kind in KINDS.values():
        for sample in kind.samples.values():
            print_kind(kind, sample.to_json())
