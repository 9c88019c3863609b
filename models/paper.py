"""Issuing papers: number and frozen context in the transaction that issues, bytes by a job (design, decision 6)."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from flask_babel import lazy_gettext as _l
from sqlalchemy.orm import Session

from models import clock
from models.base import Record
from models.calendar import work_calendar
from models.document import Document, DocumentRecipient, last_number, take_count, take_number
from models.document_text import texts_of
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
    "verification": "督核〔{year}〕{number}号",
    "conclusion": "督结〔{year}〕{number}号",
    "superior_letter": "督函〔{year}〕{number}号",
    "bulletin": "{code}〔{year}〕{number}号",
    "rectification": "改〔{year}〕{number:04d}",
    "review_decision": "督复〔{year}〕{number}号",
    "approval_sheet": "呈〔{year}〕{number:04d}",
}
"""Slip and document numbers by series; what belongs to a call bears the call's number and its own count."""

_SERIES = {"criticism": "bulletin", "statistics": "bulletin", "correction": "bulletin"}
"""Kinds that are numbered together, under one code."""


def take_paper_number(session: Session, kind: str, issuer_id: int, county_id: int) -> str:
    """The next number of an office's series of a kind in the present year, without gaps (3): taken in the transaction that issues."""
    year = work_calendar(session, county_id).local_date(clock.now()).year
    series = _SERIES.get(kind, kind)
    return _numbered(session, series, county_id, year, take_number(session, issuer_id, series, year))


def _numbered(session: Session, series: str, county_id: int, year: int, number: int) -> str:
    return _NUMBERS[series].format(code=setting(session, county_id, "document_code"), year=year, number=number)


def enter_paper_number(session: Session, kind: str, issuer_id: int, county_id: int, given: str, name: str) -> str:
    """A number that the document room gave (3): checked for duplicates, and one of the portal's own form only in its turn.

    Raises Invalid at the field `name`.
    """
    year, series = work_calendar(session, county_id).local_date(clock.now()).year, _SERIES.get(kind, kind)
    following = last_number(session, issuer_id, series, year) + 1
    if given == _numbered(session, series, county_id, year, following):
        return take_paper_number(session, kind, issuer_id, county_id)
    own = re.compile(re.escape(_numbered(session, series, county_id, year, 0)).replace("0号", r"(\d+)号"))
    table = sa.inspect(Document).local_table
    taken = sa.select(table.c.id).where(table.c.county_id == county_id, table.c.number == given)
    found = own.fullmatch(given)
    if session.connection().scalar(taken.limit(1)) is not None or (found is not None and int(found[1]) < following):
        raise Invalid({name: _l("The number %(number)s is taken already.", number=given)})
    if found is not None:
        expected = _numbered(session, series, county_id, year, following)
        raise Invalid({name: _l("The next number is %(number)s; none is left out.", number=expected)})
    return given


def issue(
    session: Session,
    kind: str,
    about: Record,
    *,
    issuer: Organisation,
    recipients: Iterable[Organisation],
    reader: Viewer | None = None,
    number: str | None = None,
) -> Document:
    """Issue a paper: take its number unless it has one, store its context and the wordings of the day, ask for its bytes.
    All in the present transaction.

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
        texts=texts_of(session, county_id, kind) or None,
    )
    if number is not None:
        document.number = number
    elif _SERIES.get(kind, kind) in _NUMBERS:
        document.number = take_paper_number(session, kind, issuer.id, county_id)
    else:
        whole = about.thread
        count = take_count(session, issuer.id, f"{kind}:{whole.id}", year)
        document.number = f"{getattr(whole, 'number', whole.id)}-{count}"
    paper = _composed(session, kind, about, document, reader)
    document.name, document.context = paper.title, dict(paper.context)
    session.add(document)
    session.flush()
    session.add_all(DocumentRecipient(document=document, organisation=one) for one in dict.fromkeys(recipients))
    want_job(session, "produce_document", {"document_id": document.id})
    return document


def _composed(session: Session, kind: str, about: Record, document: Document, reader: Viewer | None) -> Paper:
    try:
        return _composers[kind](session, about, document, reader)
    except Unprintable as error:
        raise Invalid({"document": _l("This paper cannot be printed: %(reason)s", reason=str(error))}) from error


def preview(session: Session, kind: str, about: Record, *, issuer: Organisation) -> Paper:
    """What a paper would hold if it were issued now: nothing is kept, no number is taken. Raises Invalid as `issue`."""
    now = clock.now()
    shadow = Document(
        county_id=about.county_id,
        kind=kind,
        number="",
        name="",
        issuer=issuer,
        issued_at=now,
        about_type=about.resource(),
        about_id=about.id,
        context={},
    )
    try:
        with session.no_autoflush:
            return _composed(session, kind, about, shadow, None)
    finally:
        if shadow in session:
            session.expunge(shadow)


Drafter = Callable[[Session, Any], Mapping[str, str]]
_drafters: dict[str, Drafter] = {}


def use_drafter(kind: str, drafter: Drafter) -> None:
    """Install the function that writes a kind's texts for people to edit, by the name of the record's field."""
    _drafters[kind] = drafter


def drafted(session: Session, kind: str, about: Record) -> Mapping[str, str]:
    """The texts with which people begin to edit a paper of a kind."""
    return _drafters[kind](session, about)


def want_job(session: Session, name: str, arguments: dict[str, Any]) -> None:
    """Ask for a job once, in the present transaction; asking again for the same does nothing."""
    key = ":".join([name, *(str(value) for value in arguments.values())])
    if session.scalars(sa.select(Job.id).where(Job.key == key)).first() is None:
        session.add(Job(key=key, name=name, arguments=arguments, wanted_at=clock.now()))
        session.flush()
