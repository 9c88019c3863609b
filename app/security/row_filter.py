"""The one row filter (design, decision 2): what a viewer may see is declared on the model and applied to every ORM statement.

List, search box, drop-down, bulk action, chart, export, download and API cannot forget it, because none of them applies it.
"""

from __future__ import annotations

from weakref import WeakKeyDictionary

import sqlalchemy as sa
from flask_appbuilder import Model
from sqlalchemy.orm import ORMExecuteState, Session, with_loader_criteria
from sqlalchemy.sql import util as sql_util

from models import viewer
from models.viewer import NoViewer, Viewer


class FilterBypassed(RuntimeError):
    """A statement that the filter cannot reach was sent on scoped tables while somebody was looking."""


_scoped: dict[type, sa.Table] = {}
_criteria: WeakKeyDictionary[Viewer, list[object]] = WeakKeyDictionary()


def scoped() -> dict[type, sa.Table]:
    """Every mapped class that declares whose rows are whose, with its table."""
    if not _scoped:
        for mapper in Model.registry.mappers:
            if hasattr(mapper.class_, "visible_ids"):
                _scoped[mapper.class_] = mapper.local_table
    return _scoped


def _criterion(model: type, visible: sa.Select[tuple[int]]) -> object:
    # The form matters: SQLAlchemy caches the lambda by its code, so nothing in it may branch on the viewer; the SELECT is tracked as a bound value.
    return with_loader_criteria(model, lambda cls: cls.id.in_(visible), include_aliases=True, propagate_to_loaders=False)


def criteria_for(person: Viewer) -> list[object]:
    """The loader criteria of a viewer, built once: building them for every statement costs a millisecond."""
    found = _criteria.get(person)
    if found is None:
        visible = [(model, model.visible_ids(person)) for model in scoped()]  # type: ignore[attr-defined]
        found = [_criterion(model, ids) for model, ids in visible if ids is not None]
        _criteria[person] = found
    return found


def _apply(state: ORMExecuteState) -> None:
    looking = viewer.current()
    if looking is viewer.SYSTEM or state.is_column_load:
        return
    if not state.is_orm_statement:
        _refuse_bypass(state, looking)
        return
    if looking is None:
        if any(mapper.class_ in scoped() for mapper in state.all_mappers):
            raise NoViewer("scoped rows were asked for while nobody was looking; name the system or a viewer")
        return
    if state.is_select or state.is_update or state.is_delete:
        state.statement = state.statement.options(*criteria_for(looking))  # type: ignore[arg-type]


def _refuse_bypass(state: ORMExecuteState, looking: object) -> None:
    if isinstance(state.statement, sa.TextClause):
        raise FilterBypassed("textual SQL is not filtered")
    tables = set(sql_util.find_tables(state.statement, include_joins=True, include_aliases=True, include_selects=True, include_crud=True))
    touched = tables & set(scoped().values())
    if touched:
        raise FilterBypassed(f"Core statements are not filtered: {', '.join(sorted(table.name for table in touched))}")


def install() -> None:
    """Attach the filter to every session of the program."""
    if not sa.event.contains(Session, "do_orm_execute", _apply):
        sa.event.listen(Session, "do_orm_execute", _apply)
