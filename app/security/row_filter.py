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
    own_criterion.cache_clear()


def _visible(model: Any, person: Viewer) -> sa.Select[tuple[int]] | None:
    """The keys of the rows of a type that a viewer sees; None where it declares none, or he sees all."""
    return model.visible_ids(person) if model in scoped() else None


def _criterion(model: type, visible: sa.Select[tuple[int]]) -> object:
    # The form matters: SQLAlchemy caches the lambda by its code, so nothing in it may branch on the viewer; the SELECT is tracked as a bound value.
    return with_loader_criteria(
        model, lambda cls: cls.id.in_(visible), include_aliases=True, propagate_to_loaders=False
    )


@lru_cache(maxsize=REMEMBERED)
def criteria_for(person: Viewer) -> dict[type, Any]:
    """The loader criteria of a viewer by type, built once: building them for every statement, or every request, costs milliseconds."""
    visible = [(model, _visible(model, person)) for model in scoped()]
    return {model: _criterion(model, ids) for model, ids in visible if ids is not None}


@lru_cache(maxsize=8 * REMEMBERED)  # of each viewer the few types that he asks for
def own_criterion(person: Viewer, model: type) -> Any:
    """The criterion of the type that a statement is about, where its own columns say which rows are visible: the database then need not
    look each of them up a second time, nor from the newest on where a page deep inside a list is asked for. Dearer to compare than the
    others, which are kept for the types beside it."""
    visible = _visible(model, person)
    own = _own_condition(model, visible) if visible is not None else None
    if own is None:
        return None
    return with_loader_criteria(model, own, include_aliases=True, propagate_to_loaders=False)


def _own_condition(model: type, visible: sa.Select[tuple[int]]) -> sa.ColumnElement[bool] | None:
    """What the visible rows meet, where that is said by their own columns alone."""
    table, said = scoped()[model], visible.whereclause
    plain = visible.get_final_froms() == [table] and list(visible.selected_columns) == [table.c.id]
    if said is None or not plain or any(isinstance(part, sa.SelectBase) for part in visitors.iterate(said)):
        return None
    return said


def seen_keys(model: type, person: Viewer | None) -> sa.Select[tuple[int]] | None:
    """The keys of the rows that a viewer sees, where other tables tell them, for what makes the filter's work easier; else None."""
    return _visible(model, person) if person is not None and own_criterion(person, model) is None else None


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
        state.statement = state.statement.options(*_missing(state, looking))


def _missing(state: ORMExecuteState, looking: Any) -> list[Any]:
    """The criteria that a statement lacks. A relation that is loaded beside its records brings those of their statement along: the database
    must not judge the same rows twice."""
    criteria = criteria_for(looking)
    present = {id(option) for option in state.statement._with_options}
    asked: Any = state.bind_mapper.class_ if state.bind_mapper is not None and not state.is_relationship_load else None
    own = own_criterion(looking, asked) if asked is not None and asked in criteria else None
    return [
        own if own is not None and model is asked else one for model, one in criteria.items() if id(one) not in present
    ]


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
