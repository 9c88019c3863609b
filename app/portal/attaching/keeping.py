"""From an upload to an attachment: all files of a request are kept, or none."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass

import structlog
from flask import current_app
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy.orm import Session
from werkzeug.datastructures import FileStorage

from app.portal.attaching.content import Kind, NotTaken, kind_of
from app.portal.attaching.names import clean_name, with_extension
from app.storage import content_hash, storage, store
from models.attachment import LONGEST_NOTE, Attachment, attach
from models.base import Record
from models.field import FieldError, clean_text
from models.refusal import Invalid
from models.viewer import Viewer
from models.workflow import load_visible

log = structlog.get_logger(__name__)

MOST_FILES = 10
"""Files of one request."""


@dataclass(frozen=True)
class Received:
    """A file that is taken."""

    name: str
    kind: Kind
    data: bytes


def receive(files: Sequence[FileStorage]) -> list[Received]:
    """The files of a form or of a program. Raises Invalid, naming each file that is not taken and why."""
    given = [one for one in files if one.filename or one.stream.read(1)]
    if not given:
        raise Invalid({"file": _l("Please choose a file.")})
    if len(given) > MOST_FILES:
        raise Invalid({"file": _l("At most %(count)d files can be attached at once.", count=MOST_FILES)})
    taken, errors = [], []
    for one in given:
        one.stream.seek(0)
        name = clean_name(one.filename or "")
        try:
            taken.append(_received(one, name))
        except NotTaken as refused:
            errors.append(_("%(file)s: %(reason)s", file=name or _("Without a name"), reason=refused.message))
    if errors:
        raise Invalid({"file": errors})
    return taken


def _received(given: FileStorage, name: str) -> Received:
    limit = current_app.config["ATTACHMENT_LIMIT_MB"]
    data = given.stream.read(limit * 1024 * 1024 + 1)
    if len(data) > limit * 1024 * 1024:
        raise NotTaken(_l("The file is larger than %(limit)d MB.", limit=limit))
    kind = kind_of(data, name)
    return Received(with_extension(name or _("File"), kind.extensions), kind, data)


def read_note(raw: str) -> str:
    """What the person says of the files. Raises Invalid."""
    try:
        return clean_text(raw, LONGEST_NOTE).replace("\n", " ")
    except FieldError as error:
        raise Invalid({"note": error.message}) from None


def keep(
    session: Session, model: type[Record], record_id: int, received: Sequence[Received], note: str, person: Viewer
) -> list[int]:
    """Store files, attach them to a visible record and commit; gives the attachments' ids.

    The bytes are stored before the transaction, which so keeps nobody waiting; if it fails they are deleted again, and what a crash in
    between leaves behind nobody can reach. Raises NotFound, Forbidden, and NotKept where there is no room.
    """
    session.rollback()  # ends what the request has begun by now, and with it SQLite's lock
    made = [_kept_as(one, note) for one in received]
    stored: list[str] = []
    try:
        for attachment, one in zip(made, received, strict=True):
            stored.append(attachment.file_key)
            store(attachment.file_key, one.data)
        attach(session, load_visible(session, model, record_id), made, person)
        ids = [one.id for one in made]
        session.commit()
    except BaseException:
        session.rollback()
        _take_back(stored)
        raise
    return ids


def _kept_as(one: Received, note: str) -> Attachment:
    token = secrets.token_hex(16)
    return Attachment(
        name=one.name,
        content_type=one.kind.content_type,
        size=len(one.data),
        sha256=content_hash(one.data),
        file_key=f"attachments/{token[:2]}/{token}",
        note=note,
    )


def _take_back(keys: Sequence[str]) -> None:
    for key in keys:
        try:
            storage().delete(key)
        except OSError as failure:
            log.warning("stored bytes without an attachment", key=key, problem=str(failure))
