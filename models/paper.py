"""Issuing papers: number and frozen context in the transaction that issues, bytes by a job (design, decision 6)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from flask_babel import lazy_gettext as _l
from sqlalchemy.orm import Session

from models import clock
from models.base import Record
from models.calendar import work_calendar
from models.document import Document, DocumentRecipient, take_number
from models.notification import Job
from models.organisation import Organisation, OrganisationKind, find_by_name
from models.refusal import Invalid
from models.setting import setting
from models.viewer import Viewer


@dataclass(frozen=True)
class Paper:
    """What a document kind puts on paper: the title and the plain context that is stored."""

    title: str
    context: Mapping[str, Any]


class Unprintable(ValueError):
    """A context with a character that no face can print; the message names it."""


Composer = Callable[[Session, Any, Document, Viewer | None], Paper]
_composers: dict[str, Composer] = {}


def use_composer(kind: str, composer: Composer) -> None:
    """Install the function that writes a kind's context from its subject, for a reader (None: as everybody may see it). Raises Unprintable."""
    _composers[kind] = composer


def platform_office(session: Session, county_id: int) -> Organisation:
    """The office in whose name the platform's own papers go out: by setting, else the county's first office. Raises
    LookupError in a county without offices."""
    named = setting(session, county_id, "platform_office")
    office = find_by_name(session, county_id, named) if named else None
    if office is None:
        office = session.scalars(
            sa.select(Organisation)
            .where(
                Organisation.county_id == county_id, Organisation.kind == OrganisationKind.office, Organisation.active
            )
            .order_by(Organisation.order, Organisation.id)
            .limit(1)
        ).first()
    if office is None:
        raise LookupError("this county has no office that could sign a paper")
    return office


_NUMBERS = {
    "reminder": "催〔{year}〕{number:04d}",
    "supervision": "督〔{year}〕{number:04d}",
    "conclusion": "督结〔{year}〕{number}号",
    "bulletin": "{code}〔{year}〕{number}号",
    "rectification": "改〔{year}〕{number:04d}",
}
"""Slip and document numbers by kind; what belongs to a call bears the call's number and its own count."""


def take_paper_number(session: Session, kind: str, issuer_id: int, county_id: int) -> str:
    """The next number of an office's series of a kind in the present year, without gaps (3): taken in the transaction that issues."""
    year = work_calendar(session, county_id).local_date(clock.now()).year
    number = take_number(session, issuer_id, kind, year)
    return _NUMBERS[kind].format(code=setting(session, county_id, "document_code"), year=year, number=number)


def issue(
    session: Session,
    kind: str,
    about: Record,
    *,
    issuer: Organisation,
    recipients: Iterable[Organisation],
    reader: Viewer | None = None,
) -> Document:
    """Issue a paper: take its number, store its context, ask for its bytes. All in the present transaction.

    Raises Invalid, naming the character that cannot be printed; the transaction is then rolled back and with it the number.
    """
    now = clock.now()
    county_id: int = about.county_id
    year = work_calendar(session, county_id).local_date(now).year
    document = Document(
        county_id=county_id,
        kind=kind,
        number="",
        name="",
        issuer=issuer,
        issued_at=now,
        about_type=about.resource(),
        about_id=about.id,
        context={},
    )
    if kind in _NUMBERS:
        document.number = take_paper_number(session, kind, issuer.id, county_id)
    else:
        whole = about.thread
        count = take_number(session, issuer.id, f"{kind}:{whole.id}", year)
        document.number = f"{getattr(whole, 'number', whole.id)}-{count}"
    try:
        paper = _composers[kind](session, about, document, reader)
    except Unprintable as error:
        raise Invalid({"document": _l("This paper cannot be printed: %(reason)s", reason=str(error))}) from error
    document.name, document.context = paper.title, dict(paper.context)
    session.add(document)
    session.flush()
    session.add_all(DocumentRecipient(document=document, organisation=one) for one in dict.fromkeys(recipients))
    want_job(session, "produce_document", {"document_id": document.id})
    return document


def want_job(session: Session, name: str, arguments: dict[str, Any]) -> None:
    """Ask for a job once, in the present transaction; asking again for the same does nothing."""
    key = ":".join([name, *(str(value) for value in arguments.values())])
    if session.scalars(sa.select(Job.id).where(Job.key == key)).first() is None:
        session.add(Job(key=key, name=name, arguments=arguments, wanted_at=clock.now()))
        session.flush()
