"""Short ways to import checklist items in the small county."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from flask_appbuilder import Model
from openpyxl import Workbook
from sqlalchemy.orm import undefer

from app.portal.imports import applying
from models import viewer
from models.checklist import Checklist, ChecklistItem, ChecklistLevel
from models.imported import Import
from tests.app.visitor import visitor
from tests.county import County

Table = Sequence[Sequence[Any]]

LIST = "平原县属地管理清单（修订草案）"


def grant_import(county: County, role: str = "checklist_manager", *, edit: bool = True) -> None:
    """Let a role import, create and, unless said otherwise, change checklist items."""
    tables = Model.metadata.tables
    with county.acting(None) as session:
        connection = session.connection()

        def key(table: str, name: str) -> Any:
            found = connection.execute(sa.select(tables[table].c.id).where(tables[table].c.name == name)).scalar()
            if found is None:
                found = connection.execute(
                    sa.insert(tables[table]).values(name=name).returning(tables[table].c.id)
                ).scalar()
            return found

        held = key("ab_role", role)
        for name in ("can_import", "can_add", *(("can_edit",) if edit else ())):
            pair, grant = tables["ab_permission_view"], tables["ab_permission_view_role"]
            values = {"permission_id": key("ab_permission", name), "view_menu_id": key("ab_view_menu", "ChecklistItem")}
            found = connection.execute(sa.select(pair.c.id).filter_by(**values)).scalar()
            if found is None:
                found = connection.execute(sa.insert(pair).values(values).returning(pair.c.id)).scalar()
            given = {"permission_view_id": found, "role_id": held}
            if connection.execute(sa.select(grant).filter_by(**given)).first() is None:
                connection.execute(sa.insert(grant).values(given))
    county.forget()


def draft_list(county: County) -> int:
    """A draft of the county's next list; gives its key."""
    with county.acting(None) as session:
        made = Checklist(county_id=county.id, name=LIST, level=ChecklistLevel.county, owner_id=county.id, edition=2)
        session.add(made)
        session.flush()
        return made.id


def workbook(table: Table) -> bytes:
    """A workbook of these lines; the text stays text, whatever it begins with."""
    book = Workbook()
    sheet = book.worksheets[0]
    for number, line in enumerate(table, 1):
        for place, value in enumerate(line, 1):
            cell = sheet.cell(number, place, value)
            if isinstance(value, str):
                cell.data_type = "s"
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def upload(
    county: County,
    content: bytes | Table,
    name: str = "checklist",
    locale: str = "",
    resource: str = "checklist_item",
) -> int:
    """Have a file checked; gives the import's key."""
    here = visitor(county, name)
    if locale:
        here.post("/language/", {"locale": locale, "next": "/"})
    data = content if isinstance(content, bytes) else workbook(content)
    answer = here.post(f"/{resource}/import", {"file": (io.BytesIO(data), "清单.xlsx")})
    assert answer.status_code == 302, answer.text
    return int(answer.location.rpartition("/")[2])


def newest(county: County) -> Import:
    """The latest import, with everything it holds."""
    with county.acting(None) as session:
        found = session.scalars(
            sa.select(Import)
            .order_by(Import.id.desc())
            .limit(1)
            .options(undefer(Import.findings), undefer(Import.differences))
        ).one()
        session.expunge(found)
        return found


def start(county: County, key: int) -> int:
    """Have an import applied; gives the number of its run."""
    with county.acting(None) as session:
        one = session.get_one(Import, key)
        one.start(session)
        return one.run


def apply(county: County, key: int) -> None:
    """Apply an import, as its job does."""
    run = start(county, key)
    with county.app.app_context(), viewer.system():
        applying.apply(key, run)


def items(county: County) -> dict[int, tuple[str, str, str]]:
    """The items of the draft: field, name and basis by number."""
    with county.acting(None) as session:
        rows = session.execute(
            sa.select(ChecklistItem.number, ChecklistItem.field, ChecklistItem.name, ChecklistItem.basis)
            .join(Checklist)
            .where(Checklist.name == LIST)
        )
        return {row.number: (row.field, row.name, row.basis) for row in rows}
