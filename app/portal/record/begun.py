"""Transitions “from –” on pages: a record that is begun by a step instead of by the generic form, such as a call taken by telephone."""

from __future__ import annotations

from typing import Any

from flask import flash, redirect, render_template, request
from flask_appbuilder import expose
from flask_babel import gettext as _

from app.database import db
from app.portal import references
from app.portal.forms import RecordForm, make_form
from app.portal.page import Button, FormPage, Link
from app.portal.record.listed import Listed
from models import viewer
from models.refusal import Forbidden, Invalid
from models.viewer import Viewer
from models.workflow import Transition, begin, beginnings, new_record, permitted, step_of, workflow_of


class Begun(Listed):
    """The beginning transitions of a record type."""

    def __init__(self) -> None:
        super().__init__()
        workflow = self.model.workflow
        if workflow is None or not any(one.begins for one in workflow.transitions):
            self.exclude_route_methods = self.exclude_route_methods | {"begin"}

    def buttons(self, person: Viewer) -> tuple[Button, ...]:
        """Beside the button for a new record, one for each step by which this person may begin one."""
        session = db.session()
        with viewer.system(), session.no_autoflush:
            found = beginnings(self.model, new_record(session, self.model, person), person)
        begun = (Button(str(one.label), self.url("begin", name=one.name), icon=one.icon) for one in found)
        return (*super().buttons(person), *begun)

    @expose("/begin/<name>", methods=["GET", "POST"])
    def begin(self, name: str) -> Any:
        """Ask what the step asks; refused, the form comes back with everything typed still in it."""
        person, session = self.person(), db.session()
        transition = step_of(workflow_of(self.model), name, begins=True)
        with viewer.system(), session.no_autoflush:
            record = new_record(session, self.model, person)
            if not permitted(transition, record, person):
                raise Forbidden()
        form = self.begin_form(record, transition, person)
        if request.method == "GET":
            return self._begin_page(transition, form, person)
        try:
            outcome = begin(session, self.model, name, form.values())
            key = outcome.record.id
            session.commit()
        except Invalid as refused:
            session.rollback()
            form.show_errors(refused)
            return self._begin_page(transition, form, person, status=422)
        flash(_("%(done)s.", done=transition.done or transition.label), "success")
        return redirect(self.url("show", pk=key))

    def begin_form(self, record: Any, transition: Transition, person: Viewer) -> RecordForm:
        """The questions of a beginning step. A type may add to the form what helps to answer them."""
        with viewer.system(), db.session().no_autoflush:
            fields = transition.fields(record)
            prefilled = {asked.name: asked.prefill(record, person) for asked in fields}
        return make_form(
            fields,
            record=record,
            person=person,
            values=prefilled,
            option_url=lambda asked: self.url("options", name=f"{transition.name}.{asked.name}"),
            labels=lambda asked, keys: references.labels(db.session(), asked, keys),
            submitted=request.method == "POST",
        )

    def _begin_page(self, transition: Transition, form: RecordForm, person: Viewer, status: int = 200) -> Any:
        page = FormPage(
            title=str(transition.label),
            form=form,
            action_url=self.url("begin", name=transition.name),
            submit_label=str(transition.label),
            cancel_url=self.url("list"),
            intro=_("No classified information may be entered here."),
            autosave_key=f"{person.person_id}-{self.model.resource()}-{transition.name}",
            crumbs=(Link(str(self.model.plural), self.url("list")),),
        )
        return render_template("form.html", page=page, frame_active=(self.group, "")), status
