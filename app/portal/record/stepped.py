"""Transitions on pages: buttons, forms in place, what happens when one is refused, several records at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from flask import flash, redirect
from flask_appbuilder import expose
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy.orm.exc import StaleDataError

from app.database import db
from app.portal import references
from app.portal.forms import RecordForm, make_form
from app.portal.page import Action
from app.portal.record.declared import number
from app.portal.record.shown import Failed, Shown
from models import viewer
from models.refusal import Conflict, Forbidden, Invalid, NotFound, Stale
from models.workflow import Transition, load_visible, perform, permitted, possible


class Stepped(Shown):
    """The transitions of a record type."""

    def actions(self, record: Any, failed: Failed | None, prefix: str = "") -> tuple[Action, ...]:
        """The transitions that this person may perform now, each with its form in place; a refused one stands open with what was typed."""
        found = []
        seen_failed = False
        for transition in possible(record, self.person()):
            again = failed is not None and failed.record is record and failed.transition.name == transition.name
            seen_failed = seen_failed or again
            form = failed.form if again and failed is not None else self.step_form(record, transition)
            found.append(self.action(record, transition, form, is_open=again))
        if failed is not None and failed.record is record and not seen_failed:
            found.append(self.action(record, failed.transition, failed.form, is_open=True))
        return self.grouped(found)

    def grouped(self, actions: Sequence[Action]) -> tuple[Action, ...]:
        """The actions in the order of the menu, each with the heading that it stands under."""
        headings = {name: str(heading) for heading, names in self.step_groups for name in names}
        order = {
            name: place for place, name in enumerate(name for _heading, names in self.step_groups for name in names)
        }
        dressed = (replace(one, group=headings.get(one.name, "")) for one in actions)
        return tuple(sorted(dressed, key=lambda one: order.get(one.name, -1)))

    def action(self, record: Any, transition: Transition, form: RecordForm, *, is_open: bool = False) -> Action:
        return Action(
            name=transition.name,
            label=str(transition.label),
            url=self.url("step", pk=record.id, name=transition.name),
            form=form if form.described or form.form_errors else None,
            primary=transition.primary,
            icon=transition.icon,
            help=str(transition.help),
            open=is_open,
            tone="danger" if transition.danger else "",
        )

    def step_form(self, record: Any, transition: Transition, *, submitted: bool = False) -> RecordForm:
        person = self.person()
        with viewer.system():
            fields = transition.fields(record)
            prefilled = {asked.name: asked.prefill(record, person) for asked in fields}
        return make_form(
            fields,
            record=record,
            person=person,
            values=prefilled,
            version=record.version,
            option_url=lambda asked: self.url("options", name=f"{transition.name}.{asked.name}"),
            labels=lambda asked, keys: references.labels(db.session(), asked, keys),
            submitted=submitted,
        )

    @expose("/<int:pk>/<name>", methods=["POST"])
    def step(self, pk: int, name: str) -> Any:
        """Perform a transition; refused, the page comes back with the form open and everything typed still in it."""
        person = self.person()
        session = db.session()
        record = load_visible(session, self.model, pk)
        if self.model.workflow is None or name not in self.model.workflow:
            raise NotFound(_l("There is no such step."))
        transition = self.model.workflow[name]
        with viewer.system():
            if not permitted(transition, record, person):
                raise Forbidden()
        form = self.step_form(record, transition, submitted=True)
        try:
            perform(session, self.model, pk, name, form.values(), version=number(form["version"].data))
            session.commit()
        except (Conflict, Invalid, StaleDataError) as refused:
            session.rollback()
            return self._refused(pk, transition, form, refused)
        flash(_("%(done)s.", done=transition.done or transition.label), "success")
        return redirect(self.after_step(pk))

    def _refused(self, pk: int, transition: Transition, form: RecordForm, refused: Exception) -> Any:
        record = load_visible(db.session(), self.model, pk)
        if isinstance(refused, Invalid):
            form.show_errors(refused)
            return self.page_again(record, Failed(record, transition, form), 422)
        message = (
            str(refused.message)
            if isinstance(refused, Conflict)
            else _("Somebody else changed this record at the same moment.")
        )
        if isinstance(refused, Stale | StaleDataError):
            form["version"].data = str(record.version)
        form.form_errors.append(message)
        return self.page_again(record, Failed(record, transition, form), 409)

    def page_again(self, record: Any, failed: Failed, status: int) -> Any:
        """The page on which a refused transition is shown again: the record's own, or its whole's."""
        return self.render(record, failed, status)

    def after_step(self, pk: int) -> str:
        """Where to go after a transition."""
        return self.url("show", pk=pk)
