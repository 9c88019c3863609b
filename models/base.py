"""What every record has: key, county, version counter, who and when; what the portal may know of its columns; who may see it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, ClassVar, cast

import sqlalchemy as sa
from flask_appbuilder import Model
from flask_babel import lazy_gettext as _l
from sqlalchemy.orm import Mapped, MappedColumn, Mapper, Session, declared_attr, mapped_column

from models import clock, viewer
from models.field import Choice, Field, Kind, Text

if TYPE_CHECKING:
    from models.workflow import Workflow

KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
"""Type of primary and foreign keys; SQLite numbers rows by itself only for INTEGER."""


class UtcDateTime(sa.types.TypeDecorator[datetime]):
    """An instant. Stored in UTC, aware in Python on both databases; refuses naive values (2.9)."""

    impl = sa.DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: sa.Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a naive instant cannot be stored")
        utc = value.astimezone(UTC)
        return utc.replace(tzinfo=None) if dialect.name == "sqlite" else utc

    def process_result_value(self, value: datetime | None, dialect: sa.Dialect) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


def choice_type(choices: type[Choice]) -> sa.Enum:
    """Column type of an enumeration: its identifiers as text, checked by the database."""
    return sa.Enum(
        choices,
        native_enum=False,
        create_constraint=False,
        length=32,
        values_callable=lambda members: [str(member.value) for member in members],
    )


JSON = sa.JSON().with_variant(sa.dialects.postgresql.JSONB(), "postgresql")


def column(
    label: Text,
    *args: Any,
    kind: Kind | None = None,
    help: Text = "",
    listed: bool = False,
    searched: bool = False,
    editable: bool = True,
    choices: Any = None,
    target: str = "",
    only: dict[str, Any] | None = None,
    required: bool | None = None,
    prefill: Any = None,
    when: tuple[str, tuple[str, ...]] | None = None,
    confidential: bool = False,
    **options: Any,
) -> MappedColumn[Any]:
    """A column with what people and programs are told of it.

    `listed`: a column of the list; `searched`: found by the search box or offered as a filter; `editable`: part of the generic form;
    `kind` is only needed where the type does not tell it (`long_text`); `target` and `only` describe a reference;
    `when` names another field and its values for which this one is asked, e.g. `when=("kind", ("transfer",))`;
    `confidential`: events tell that it changed, never its value.
    """
    info = {
        "label": label,
        "kind": kind,
        "help": help,
        "listed": listed,
        "searched": searched,
        "editable": editable,
        "choices": choices,
        "target": target,
        "only": only,
        "required": required,
        "prefill": prefill,
        "when": when,
        "confidential": confidential,
    }
    return mapped_column(*args, info=info, **options)


def state_column(first: Choice) -> MappedColumn[Any]:
    """Where a record stands in its workflow, and where it begins: read in lists, found by filters, changed by steps alone."""
    return column(
        _l("State"),
        choice_type(type(first)),
        listed=True,
        searched=True,
        editable=False,
        nullable=False,
        default=first,
    )


def describe(present: sa.Column[Any], label: Text, **words: Any) -> None:
    """Tell of a column that another library declared what `column` tells of our own."""
    present.info.update(column(label, present.type, **words).column.info)


def reference(label: Text, target: str, **options: Any) -> MappedColumn[Any]:
    """A foreign key to another record type, e.g. `reference(_l("Department"), "organisation")`."""
    ondelete = options.pop("ondelete", None)
    index = options.pop("index", True)
    return column(
        label,
        KEY,
        sa.ForeignKey(f"{target}.id", ondelete=ondelete),
        target=target,
        kind="reference",
        index=index,
        **options,
    )


def person_reference(label: Text, **options: Any) -> MappedColumn[Any]:
    """A foreign key to a person's account. One that can be edited says who has the record in hand; another one, who did something."""
    return column(label, sa.Integer, sa.ForeignKey("ab_user.id"), target="person", kind="reference", **options)


def snake(name: str) -> str:
    """`ChecklistItem` → `checklist_item`."""
    return re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower()


RECORD_TYPES: dict[str, type[Record]] = {}
"""Every record type by its resource name."""


class Kept:
    """What the portal asks of every record type, whoever made its table: names, scope, what its form and its steps may do."""

    label: ClassVar[Text] = ""
    plural: ClassVar[Text] = ""
    workflow: ClassVar[Workflow | None] = None
    natural_key: ClassVar[tuple[str, ...]] = ()
    """Names of the fields by which people tell one record from another; the import finds records to update by them."""
    parts: ClassVar[tuple[str, ...]] = ()
    """Names of relations whose records are edited in this one's form: the lines of a master record."""
    module: ClassVar[str] = ""
    """Name of the yes-or-no setting without which a county does not use this type; empty: always used."""
    attachable: ClassVar[bool] = True
    """Whether files may be attached."""
    seen_by_all: ClassVar[bool] = False
    """Whether everybody of the county sees every row: reference data. What stands beside it speaks for its keeper, so
    only who may change a row attaches files to it; beside other records everybody does who sees them (2.1: attach)."""
    offered: ClassVar[Mapping[str, Any]] = {}
    """Column values of the records that may be newly chosen, e.g. only people in service; those chosen before stay."""
    text_index: ClassVar[tuple[str, ...]] = ()
    """Names of the columns whose pairs of characters an index of PostgreSQL keeps (see models/text_search.py)."""

    __tablename__: Any
    _fields: ClassVar[dict[str, Field]]
    id: Any
    version: Any
    created_at: Any
    created_by_id: Any
    changed_at: Any
    changed_by_id: Any

    def __init_subclass__(cls, **options: Any) -> None:
        unmapped = "__abstract__" in cls.__dict__
        if not unmapped and "__tablename__" not in cls.__dict__:
            cls.__tablename__ = snake(cls.__name__)
        super().__init_subclass__(**options)
        if not unmapped:
            # An account is no `Record`, its table being Flask-AppBuilder's, but is kept like one.
            RECORD_TYPES[cls.resource()] = cast("type[Record]", cls)

    @classmethod
    def resource(cls) -> str:
        """Name in URLs of pages and of the REST interface."""
        return snake(cls.__name__)

    @classmethod
    def visible_ids(cls, person: viewer.Viewer) -> sa.Select[tuple[int]] | None:
        """Scope: a Core SELECT of the ids that this person may see, None for every row.

        Core, not ORM: a criterion that mentions another scoped class would be filtered itself and silently come out empty. Nothing unless declared.
        """
        table = sa.inspect(cls).local_table
        return sa.select(table.c.id).where(sa.false())

    @classmethod
    def offered_to(cls, person: viewer.Viewer) -> sa.ColumnElement[bool] | None:
        """Which of the visible rows a form offers this person to choose from, None for all; what was chosen before stays chosen."""
        return None

    changed_for: viewer.Deputed | None = None
    """For whom a substitute makes the present change outside of a transition; its event names both (spec 1)."""

    @property
    def thread(self) -> Record:
        """The record on whose timeline and audit chain the events of this one stand."""
        return cast("Record", self)

    def prepare(self, session: Session, person: viewer.Viewer) -> None:
        """Fill what the generic form does not ask, before the record is first saved. Raises workflow.Refused where this person may not create it.

        The record is attached to the session, without being saved by it, so that its questions can look things up.
        """
        session.enable_relationship_loading(self)

    def settle(self, session: Session) -> None:
        """Called before it is saved: fill what follows from other columns. Raises workflow.Refused for what must not stand together.

        What has to be looked up is read by Core statements: a flush is under way.
        """

    @classmethod
    def told_apart(cls) -> sa.ColumnElement[bool]:
        """Which records the natural key tells apart; of the others several may bear the same one."""
        return sa.true()

    @classmethod
    def unsettled(cls) -> sa.ColumnElement[bool]:
        """What must hold, beside its own state not being final, for a record to be still in somebody's hands."""
        return sa.true()

    def after_handover(self, session: Session) -> None:
        """Called when the record was put into other hands (models/handover.py): bring in step what is kept beside it."""

    def reads_only(self, person: viewer.Viewer) -> bool:
        """Whether this person only reads the record that he sees: no remark, no file beside it (2.1: comment, attach, share)."""
        return False

    def read_until(self, person: viewer.Viewer) -> datetime | None:
        """Up to when this person reads what happened to the record; None: all of it (2.1, end: after an upheld return)."""
        return None

    def check_change(self, person: viewer.Viewer) -> None:
        """Raise workflow.Refused where the generic form or PUT may not change this record now."""

    def check_delete(self, person: viewer.Viewer) -> None:
        """Raise workflow.Refused where this record may not be deleted now."""

    @property
    def title(self) -> str:
        """What people call this record."""
        return str(getattr(self, "name", None) or f"{type(self).label} {self.id}")

    @property
    def choice_title(self) -> str:
        """How this record reads among the choices of a form."""
        return self.title

    @property
    def choice_hint(self) -> str:
        """A word beside it that tells it from others of that name."""
        return ""

    def __str__(self) -> str:
        return self.title


class Record(Kept, Model):
    """A row that people keep: numbered, versioned against lost updates, stamped, with a declared scope."""

    __abstract__ = True

    id: Mapped[int] = mapped_column(KEY, primary_key=True, sort_order=-10)
    version: Mapped[int] = mapped_column(sa.Integer, nullable=False, default=1, sort_order=80)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime, nullable=False, default=clock.now, sort_order=81)
    created_by_id: Mapped[int | None] = mapped_column(sa.Integer, sa.ForeignKey("ab_user.id"), sort_order=82)
    changed_at: Mapped[datetime] = mapped_column(UtcDateTime, nullable=False, default=clock.now, sort_order=83)
    changed_by_id: Mapped[int | None] = mapped_column(sa.Integer, sa.ForeignKey("ab_user.id"), sort_order=84)

    @declared_attr.directive
    def __mapper_args__(cls) -> dict[str, Any]:
        return {"version_id_col": cls.version}


class CountyRecord(Record):
    """A record of one county's business. Nothing assumes that there is only one county."""

    __abstract__ = True

    @declared_attr
    def county_id(cls) -> Mapped[int]:
        return mapped_column(KEY, sa.ForeignKey("organisation.id"), nullable=False, index=True, sort_order=-9)

    def prepare(self, session: Session, person: viewer.Viewer) -> None:
        super().prepare(session, person)
        if self.county_id is None and person.county_id is not None:
            self.county_id = person.county_id


_KINDS: tuple[tuple[type[Any], Kind], ...] = (
    (sa.Boolean, "boolean"),
    (sa.Enum, "choice"),
    (UtcDateTime, "datetime"),
    (sa.DateTime, "datetime"),
    (sa.Date, "date"),
    (sa.Integer, "integer"),
    (sa.Numeric, "decimal"),
    (sa.JSON, "json"),
    (sa.Text, "long_text"),
    (sa.String, "text"),
)


def _kind_of(column_: sa.Column[Any]) -> Kind:
    for type_, kind in _KINDS:
        if isinstance(column_.type, type_):
            return kind
    raise TypeError(f"{column_} has a type that no form field shows")


def fields_of(model: type[Kept]) -> dict[str, Field]:
    """The described columns of a record type as fields, in order of declaration. A foreign key `department_id` is the field `department`."""
    cached: dict[str, Field] | None = model.__dict__.get("_fields")
    if cached is not None:
        return cached
    mapper: Mapper[Any] = sa.inspect(model)
    fields: dict[str, Field] = {}
    for attribute in mapper.column_attrs:
        column_: Any = attribute.columns[0]
        info = column_.info
        if "label" not in info:
            continue
        kind = info["kind"] or _kind_of(column_)
        name = attribute.key.removesuffix("_id") if kind == "reference" else attribute.key
        required = (
            info["required"] if info["required"] is not None else not column_.nullable and column_.default is None
        )
        choices = info["choices"]
        if choices is None and isinstance(column_.type, sa.Enum):
            choices = column_.type.enum_class
        fields[name] = Field(
            name=name,
            label=info["label"],
            kind=kind,
            required=required,
            help=info["help"],
            length=getattr(column_.type, "length", None) if kind == "text" else None,
            choices=choices,
            target=info["target"],
            only=info["only"],
            default=info["prefill"],
            when=info["when"],
        )
    model._fields = fields
    return fields


def lines_of(model: type[Record]) -> dict[str, Field]:
    """The relations whose records are edited with this one (`parts`), each as a list of entries."""
    found: dict[str, Field] = {}
    for name in model.parts:
        relation = sa.inspect(model).relationships[name]
        line: type[Record] = relation.mapper.class_
        back = {column.name for _local, column in relation.local_remote_pairs or ()}
        entries = tuple(
            asked
            for key, asked in fields_of(line).items()
            if described(line, key)["editable"] and f"{key}_id" not in back
        )
        known = Field("id", "", "integer", required=False)
        found[name] = Field(name, line.plural, "entries", required=False, entries=(known, *entries), lines=True)
    return found


def described(model: type[Kept], name: str) -> dict[str, Any]:
    """The column information of a field (see `column`)."""
    attributes = sa.inspect(model).column_attrs
    key = f"{name}_id" if f"{name}_id" in attributes else name
    info: dict[str, Any] = attributes[key].columns[0].info
    return info


def referred(session: Session, record: Record, name: str, target: type[Any]) -> Any:
    """The record that a reference names, inside `before_flush`: a relation just set is not in its key yet."""
    state: Any = sa.inspect(record)
    history = state.attrs[name].history
    if history.added:
        return history.added[0]
    key = getattr(record, f"{name}_id")
    return session.get(target, key) if key is not None else None


@sa.event.listens_for(Session, "before_flush")
def _stamp(session: Session, context: Any, instances: Any) -> None:
    """Settle every record about to be saved, write who and when on it, and let its version go up."""
    person = viewer.author()
    for record in session.new:
        if isinstance(record, Kept):
            record.settle(session)
            record.created_at = record.changed_at = clock.now()
            if person is not None:
                record.created_by_id = record.changed_by_id = person.person_id
    for record in session.dirty:
        if isinstance(record, Kept) and session.is_modified(record):
            record.settle(session)
            record.changed_at = clock.now()
            record.changed_by_id = person.person_id if person is not None else None
