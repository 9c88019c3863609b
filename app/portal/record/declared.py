"""What a view declares of its record type, and who is looking."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from flask import abort, url_for
from flask_appbuilder.baseviews import BaseView
from flask_babel import lazy_gettext as _l

from app.database import db
from app.portal.frame import Entry
from models import viewer
from models.base import Record
from models.person import ROLES
from models.refusal import Forbidden
from models.setting import refuse_switched_off
from models.viewer import Viewer


class Declared(BaseView):
    """Pages of a record type. A subclass names the model and who reads and writes; the rest is derived, and may be refined."""

    model: ClassVar[type[Record]]
    readers: ClassVar[frozenset[str]] = frozenset()
    writers: ClassVar[frozenset[str]] = frozenset()
    """Roles that create and edit by the generic form."""
    deleters: ClassVar[frozenset[str] | None] = None
    """Roles that delete; those that write unless said otherwise."""
    rest: ClassVar[bool] = True
    rest_methods: ClassVar[frozenset[str]] = frozenset({"list", "show"})
    group: ClassVar[str] = ""
    """Navigation group; empty for types that are reached from another record only."""
    columns: ClassVar[tuple[str, ...]] = ()
    """Columns of the list; the model's listed fields unless given. A name that is no field is drawn by a method `cell_<name>`."""
    sortable: ClassVar[tuple[str, ...] | None] = None
    """Columns by which the list may be sorted; every one that has an order unless given."""
    usual_order: ClassVar[str] = ""
    """The field by which the list stands in order unless another is asked for; empty for the newest first."""
    filter_fields: ClassVar[tuple[str, ...]] = ()
    """Filters beside the searched fields, also by what a reference names: `("call.township",)`."""
    guarded: ClassVar[frozenset[str]] = frozenset()
    """Fields that not everybody who sees a record reads (`withheld_of`). They are neither searched nor sorted nor filtered by."""
    related: ClassVar[tuple[str, ...] | None] = None
    """Types of the records shown on this one's page because they refer to it, in this order: `("notice", "inspection.call")`; all unless given."""
    unrelated: ClassVar[frozenset[str]] = frozenset()
    """Types that the page shows in another way than among the related records."""
    all_tab: ClassVar[str] = ""
    """The tab that shows everything, where the first one does not."""
    exporters: ClassVar[frozenset[str] | None] = None
    """Roles that export; those that read, but for the read-only ones, unless said otherwise."""
    step_groups: ClassVar[tuple[tuple[Any, tuple[str, ...]], ...]] = ()
    """How the steps stand in the menu of actions: headings, each with the names of its steps in their order; the others come first."""
    folded: ClassVar[frozenset[str]] = frozenset()
    """Fields of the form that stand folded under “More”: prefilled, or seldom needed."""
    form_step: ClassVar[str] = ""
    """A transition that the form's main button performs after saving (提交呼叫)."""
    step_label: ClassVar[Any] = ""
    exclude_route_methods: set[str] = set()
    """Pages that this type does not have."""
    template_folder = "../templates"
    default_view = "list"

    def __init__(self) -> None:
        self.class_permission_name = self.model.__name__
        self.route_base = f"/{self.model.resource()}"
        super().__init__()

    @classmethod
    def grants(cls) -> dict[str, frozenset[str]]:
        """The generic permissions and the roles that have them by default. Transitions bring their own."""
        exporters = cls.exporters
        if exporters is None:
            exporters = frozenset(role for role in cls.readers if not ROLES[role].read_only)
        found = {"can_list": cls.readers, "can_show": cls.readers, "can_export": exporters}
        if cls.writers:
            found |= {
                "can_add": cls.writers,
                "can_edit": cls.writers,
                "can_delete": cls.writers if cls.deleters is None else cls.deleters,
            }
        return found

    def navigation(self) -> tuple[Entry, ...]:
        """Entries in the navigation group: the list, unless a type offers its saved views."""
        return (Entry(self.model.plural, f"{self.endpoint}.list", self.model.__name__, module=self.model.module),)

    # Who

    @staticmethod
    def person() -> Viewer:
        person = viewer.current_person()
        if person is None:
            abort(401)
        return person

    def may(self, permission: str) -> bool:
        return self.person().may(permission, self.model.__name__)

    def demand(self, permission: str) -> Viewer:
        """The viewer, who must have a permission on this type. Raises Forbidden."""
        person = self.person()
        if not person.may(permission, self.model.__name__):
            raise Forbidden(
                _l("Your role does not include this page. If you need it for your work, ask your administrator.")
            )
        refuse_switched_off(db.session(), self.model, person.county_id)
        return person

    # What of a record

    def withheld(self, record: Any, person: Viewer) -> frozenset[str]:
        """Names of fields that this person does not read, though he sees the record."""
        return frozenset()

    def withheld_of(self, records: Sequence[Any], person: Viewer) -> Mapping[int, frozenset[str]]:
        """The same for a page of records at once, by their keys: what lists, exports and REST leave empty."""
        return {record.id: self.withheld(record, person) for record in records} if self.guarded else {}

    def url(self, page: str, **values: Any) -> str:
        return str(url_for(f"{self.endpoint}.{page}", **values))

    def url_of(self, record: Record) -> str:
        return f"{self.route_base}/show/{record.id}"


def number(text: Any) -> int | None:
    return int(text) if isinstance(text, str) and text.isdecimal() and len(text) < 10 else None
