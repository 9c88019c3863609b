"""The one row filter (design, decision 2): what a viewer may see is declared on the model and applied to every ORM statement.

List, search box, drop-down, bulk action, chart, export, download and API cannot forget it, because none of them applies it.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from typing import Any

import sqlalchemy as sa
from flask_appbuilder import Model
from sqlalchemy.orm import FromStatement, Mapper, ORMExecuteState, Session, with_loader_criteria
from sqlalchemy.sql import util as sql_util
from sqlalchemy.sql import visitors

from models import viewer
from models.viewer import NoViewer, Viewer


class FilterBypassed(RuntimeError):
    """A statement that the filter cannot reach was sent on scoped tables while somebody was looking."""


_scoped: dict[type, sa.Table] = {}

REMEMBERED = 512
"""Viewers whose criteria are kept: a person who looks again is an equal value, and what he may see depends on nothing else."""


def scoped() -> dict[type, sa.Table]:
    """Every mapped class that declares whose rows are whose, with its table."""
    if not _scoped:
        for mapper in Model.registry.mappers:
            if hasattr(mapper.class_, "visible_ids"):
                _scoped[mapper.class_] = mapper.local_table
    return _scoped


@sa.event.listens_for(Mapper, "after_configured")
def _look_again() -> None:
    """A record type declared later is filtered as well."""
    _scoped.clear()
    criteria_for.cache_clear()


def _criterion(model: type, visible: sa.Select[tuple[int]]) -> object:
    # The form matters: SQLAlchemy caches the lambda by its code, so nothing in it may branch on the viewer; the SELECT is tracked as a bound value.
    return with_loader_criteria(
        model, lambda cls: cls.id.in_(visible), include_aliases=True, propagate_to_loaders=False
    )


@lru_cache(maxsize=REMEMBERED)
def criteria_for(person: Viewer) -> list[object]:
    """The loader criteria of a viewer, built once: building them for every statement, or every request, costs milliseconds."""
    visible = [(model, model.visible_ids(person)) for model in scoped()]  # type: ignore[attr-defined]  # these declare it
    return [_criterion(model, ids) for model, ids in visible if ids is not None]


def _apply(state: ORMExecuteState) -> None:
    looking = viewer.current()
    if looking is viewer.SYSTEM or state.is_column_load:
        return
    if not state.is_orm_statement or isinstance(state.statement, FromStatement):
        _refuse_bypass(state.statement)
        return
    if looking is None:
        if any(mapper.class_ in scoped() for mapper in state.all_mappers) or _named(state.statement):
            raise NoViewer("scoped rows were asked for while nobody was looking; name the system or a viewer")
        return
    if not state.is_relationship_load:
        _refuse_mixed(state.statement)
    if state.is_select or state.is_update or state.is_delete:
        state.statement = state.statement.options(*criteria_for(looking))  # type: ignore[arg-type]  # typed narrower than what it takes


def _named(statement: Any) -> set[str]:
    """The scoped tables that a statement names anywhere, under whatever guise."""
    tables = sql_util.find_tables(
        statement, include_joins=True, include_aliases=True, include_selects=True, include_crud=True
    )
    return {table.name for table in tables if isinstance(table, sa.TableClause)} & {
        table.name for table in scoped().values()
    }


def _refuse_bypass(statement: Any) -> None:
    """Textual SQL, Core statements and rows read through them cannot be filtered."""
    if isinstance(statement, FromStatement):
        raise FilterBypassed("rows of a given statement are not filtered")
    if any(isinstance(part, sa.TextClause) for part in visitors.iterate(statement)):
        raise FilterBypassed("textual SQL is not filtered")
    touched = _named(statement)
    if touched:
        raise FilterBypassed(f"Core statements are not filtered: {', '.join(sorted(touched))}")


def _refuse_mixed(statement: Any) -> None:
    """An ORM statement must not take a scoped table's columns past its class: the criteria stand on classes."""
    for part in _asked_for(statement):
        table = part.table if isinstance(part, sa.Column) else part
        if (
            isinstance(table, sa.Table)
            and "parententity" not in part._annotations
            and table.name in {one.name for one in scoped().values()}
        ):
            raise FilterBypassed(f"columns of the table {table.name} are not filtered; name them by its class")


def _asked_for(statement: Any) -> Iterator[Any]:
    """Columns and joined tables that a SELECT names itself; a relationship's own join condition is not among them."""
    if isinstance(statement, sa.Select):
        for asked in statement._raw_columns:
            yield from (part for part in visitors.iterate(asked) if isinstance(part, sa.Column))
        yield from (join[0] for join in statement._setup_joins if isinstance(join[0], sa.Table))


def install() -> None:
    """Attach the filter to every session of the program."""
    if not sa.event.contains(Session, "do_orm_execute", _apply):
        sa.event.listen(Session, "do_orm_execute", _apply)
