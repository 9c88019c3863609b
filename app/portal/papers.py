"""Several papers at once: as one PDF, or each under its speaking name in a ZIP file (spec 3, register)."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Iterable, Sequence
from typing import Literal

import sqlalchemy as sa
from flask import Response
from flask_babel import gettext as _
from pypdf import PdfReader, PdfWriter

from app.database import db
from app.portal.download import handed_out, note_readings, paper_bytes
from models.document import Document
from models.viewer import Viewer

MOST = 200
"""Papers that are handed out at once."""
Form = Literal["pdf", "zip"]
NOT_IN_NAMES = re.compile(r'[\\/:*?"<>|\x00-\x1f]')
"""What no common file system takes in a name."""


class NotTogether(Exception):
    """The chosen papers cannot be handed out; the message says why and what to do."""


def chosen_papers(keys: Sequence[int]) -> list[Document]:
    """The chosen papers that this viewer sees, in the order in which they were chosen. Raises NotTogether for too many."""
    if len(keys) > MOST:
        raise NotTogether(_("At most %(most)d papers are handed out at once. Please select fewer.", most=MOST))
    found = {one.id: one for one in db.session.scalars(sa.select(Document).where(Document.id.in_(keys)))}
    return [found[key] for key in keys if key in found]


def papers_response(documents: Sequence[Document], form: Form, name: str, person: Viewer) -> Response:
    """The papers as one file called `name`; the first reading of each is noted.

    Raises NotTogether where there are none, too many, or one that is not made yet.
    """
    if not documents:
        raise NotTogether(_("There is no paper to hand out."))
    if len(documents) > MOST:
        raise NotTogether(_("At most %(most)d papers are handed out at once. Please select fewer.", most=MOST))
    waiting = [one.file_name.removesuffix(".pdf") for one in documents if one.sha256 is None]
    if waiting:
        raise NotTogether(
            _(
                "Still being made: %(papers)s. Please try again in a few seconds, or leave them out.",
                papers="；".join(waiting),
            )
        )
    named = [(one.file_name, paper_bytes(one)) for one in documents]
    keys = [one.id for one in documents]
    db.session.rollback()  # nothing was written: the database is not held while the papers are put together
    content = merged(named, name) if form == "pdf" else zipped(named)
    note_readings(keys, person)
    return handed_out(content, f"{name}.{form}", f"application/{form}")


def merged(named: Iterable[tuple[str, bytes]], title: str) -> bytes:
    """One PDF of several, each with its bookmark."""
    writer = PdfWriter()
    for name, content in named:
        writer.append(PdfReader(io.BytesIO(content)), outline_item=name.removesuffix(".pdf"))
    writer.add_metadata({"/Title": title})
    out = io.BytesIO()
    writer.write(out)
    return out.getvalue()


def zipped(named: Iterable[tuple[str, bytes]]) -> bytes:
    """A ZIP file; of several papers of the same name the later ones are numbered."""
    out, taken = io.BytesIO(), set[str]()
    with zipfile.ZipFile(out, "w") as archive:
        for name, content in named:
            archive.writestr(_free_name(NOT_IN_NAMES.sub("_", name), taken), content)
    return out.getvalue()


def _free_name(name: str, taken: set[str]) -> str:
    stem, count, free = name.removesuffix(".pdf"), 1, name
    while free in taken:
        count += 1
        free = f"{stem} ({count}).pdf"
    taken.add(free)
    return free
