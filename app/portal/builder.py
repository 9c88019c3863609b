"""Flask-AppBuilder's builder, with our pages instead of its own, and a register of the record views."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

from flask_appbuilder import AppBuilder
from flask_appbuilder.baseviews import BaseView

from models.base import RECORD_TYPES, Record

if TYPE_CHECKING:
    from app.portal.administration import AdministrationPage
    from app.portal.frame import Entry
    from app.portal.record_view import RecordView


class Navigated(Protocol):
    """A view with entries in the navigation."""

    group: str

    def navigation(self) -> tuple[Entry, ...]: ...


class Portal(AppBuilder):
    """Registers record types: one view gives pages, REST resource, permissions and navigation."""

    def __init__(self, **options: Any) -> None:
        self.record_views: dict[str, RecordView] = {}
        self.navigated: list[Navigated] = []
        """Views with navigation entries, in the order of their registration."""
        self.pages: list[AdministrationPage] = []
        """Pages of no record type that ask for permissions of their own."""
        super().__init__(**options)

    def _add_admin_views(self) -> None:
        """Only the sign-in pages and what the API has beside records: none of Flask-AppBuilder's own pages is reachable."""
        from app.portal.api import ApiDescription, EventApi, MeApi

        self.sm.register_views()
        self.add_api(ApiDescription)
        self.add_api(MeApi)
        self.add_api(EventApi)

    def add_record(self, view: type[RecordView]) -> RecordView:
        """Register a record type's pages and its REST resource."""
        made: RecordView = self.add_view_no_menu(view)
        self.record_views[view.model.resource()] = made
        self.navigated.append(made)
        if made.rest:
            from app.portal.api import resource_for

            self.add_api(resource_for(view))
        return made

    def add_page(self, view: type[BaseView]) -> BaseView:
        """Register a page that belongs to no record type; one with a `group` and `navigation()` gets its entries."""
        made: BaseView = self.add_view_no_menu(view)
        if getattr(made, "group", ""):
            self.navigated.append(made)
        if hasattr(made, "grants"):
            self.pages.append(made)
        return made

    def view_of(self, record_type: str) -> RecordView | None:
        return self.record_views.get(record_type)

    def url_of(self, record_type: str, record_id: int) -> str:
        """The page of a record; empty where its type has none."""
        view = self.record_views.get(record_type)
        return f"{view.route_base}/show/{record_id}" if view is not None else ""

    def permissions(self) -> dict[tuple[str, str], frozenset[str]]:
        """Every (permission, resource) of the record types' workflows and of the registered views, with the roles that have it by default."""
        from app.portal.api import EventApi

        granted: dict[tuple[str, str], frozenset[str]] = {}
        for model in RECORD_TYPES.values():
            for transition in model.workflow.transitions if model.workflow is not None else ():
                granted[transition.permission, model.__name__] = transition.roles | granted.get(
                    (transition.permission, model.__name__), frozenset()
                )
        for view in self.record_views.values():
            for name, roles in view.grants().items():
                granted[name, view.model.__name__] = roles
        for page in self.pages:
            for name, roles in page.grants().items():
                granted[name, page.resource] = roles | granted.get((name, page.resource), frozenset())
        for name, roles in EventApi.grants().items():
            granted[name, "Event"] = roles
        return granted

    @staticmethod
    def record_type(name: str) -> type[Record]:
        return RECORD_TYPES[name]
