"""The generic form: new, edit, delete, and the choices of its references (face, Forms)."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from flask import flash, jsonify, redirect, render_template, request
from flask_appbuilder import expose
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy.orm.exc import StaleDataError

from app.database import db
from app.portal import references
from app.portal.forms import RecordForm, make_form
from app.portal.page import Change, FormPage, Link
from app.portal.record.declared import Declared, number
from app.portal.words import value_text
from models import viewer
from models.base import RECORD_TYPES, described, fields_of
from models.field import Field, FieldError
from models.workflow import (
    Invalid,
    NotFound,
    load_visible,
    perform,
)


class Formed(Declared):
    """The generic form of a record type."""

    def form_fields(self, record: Any) -> dict[str, Field]:
        """The fields of the generic form. A reference whose present target this person may not see is left out, so that saving cannot clear it."""
        found = {}
        for name, asked in fields_of(self.model).items():
            if not described(self.model, name)["editable"]:
                continue
            if asked.kind == "reference" and record.id is not None:
                key = getattr(record, f"{name}_id")
                if key is not None and not references.labels(db.session(), asked, [key]):
                    continue
            found[name] = asked
        return found

    def record_form(self, record: Any, *, submitted: bool) -> RecordForm:
        fields = self.form_fields(record)
        values = {
            name: getattr(record, f"{name}_id" if asked.kind == "reference" else name) for name, asked in fields.items()
        }
        if record.id is None:
            person = self.person()
            asked_for = {name: text for name in fields if (text := request.args.get(name, "")[:200])}
            with viewer.system():
                values = {
                    name: asked_for.get(name) or value or fields[name].prefill(record, person)
                    for name, value in values.items()
                }
        return make_form(
            list(fields.values()),
            record=record,
            person=self.person(),
            values=values,
            version=record.version if record.id is not None else None,
            option_url=lambda asked: self.url("options", name=asked.name),
            labels=lambda asked, keys: references.labels(db.session(), asked, keys),
            submitted=submitted,
        )

    @property
    def draft_allowed(self) -> bool:
        """Whether an incomplete record may be kept: its workflow demands the rest later."""
        return self.model.workflow is not None and "draft" in list(self.model.workflow.states)

    def _fill(self, record: Any, form: RecordForm) -> None:
        """Take over what was typed. Raises Invalid with every field's error at once."""
        errors: dict[str, Any] = {}
        session = db.session()
        for name, raw in form.values().items():
            asked = form.described[name]
            try:
                value = asked.parse(raw, record)
                if asked.kind == "reference" and value is not None and not references.labels(session, asked, [value]):
                    raise FieldError(_l("Please choose one of the given answers."))
                if not self.draft_allowed:
                    asked.check_present(value)
            except FieldError as error:
                errors[name] = error.message
                continue
            key = f"{name}_id" if asked.kind == "reference" else name
            column = sa.inspect(self.model).column_attrs[key].columns[0]
            if value is None and not column.nullable and asked.kind == "reference":
                errors[name] = _l("Please fill in this field.")
                continue
            if value is None and not column.nullable:
                value = column.default.arg if column.default is not None and column.default.is_scalar else ""
            try:
                setattr(record, key, value)
            except FieldError as error:
                errors[name] = error.message
        if errors:
            raise Invalid(errors)

    @expose("/add", methods=["GET", "POST"])
    def add(self) -> Any:
        """The form for a new record."""
        person = self.demand("can_add")
        session = db.session()
        record = self.model()
        with session.no_autoflush:
            record.prepare(session, person)
        if request.method == "GET":
            return self._form_page(record, self.record_form(record, submitted=False), self.new_title())
        form = self.record_form(record, submitted=True)
        try:
            self._fill(record, form)
            session.add(record)
            session.flush()
            load_visible(session, self.model, record.id)
            return self._saved(record, form)
        except Invalid as refused:
            session.rollback()
            form.show_errors(refused)
            fresh = self.model()
            fresh.prepare(session, person)
            return self._form_page(fresh, form, self.new_title(), status=422)

    @expose("/edit/<int:pk>", methods=["GET", "POST"])
    def edit(self, pk: int) -> Any:
        """The form for a present record. Somebody else's change in between is shown; nothing typed is lost."""
        person = self.demand("can_edit")
        session = db.session()
        record = load_visible(session, self.model, pk)
        record.check_change(person)
        title = _("Edit: %(what)s", what=record.title or self.model.label)
        form = self.record_form(record, submitted=request.method == "POST")
        if request.method == "GET":
            return self._form_page(record, form, title)
        if number(request.form.get("version")) != record.version:
            return self._conflict(record, form, title)
        try:
            self._fill(record, form)
            session.flush()
            return self._saved(record, form)
        except Invalid as refused:
            session.rollback()
            form.show_errors(refused)
            return self._form_page(load_visible(session, self.model, pk), form, title, status=422)
        except StaleDataError:
            session.rollback()
            return self._conflict(load_visible(session, self.model, pk), form, title)

    def _saved(self, record: Any, form: RecordForm) -> Any:
        session = db.session()
        key = record.id
        if self.form_step and request.form.get("then") == self.form_step:
            try:
                perform(session, self.model, key, self.form_step)
            except Invalid as refused:
                if set(refused.errors) & set(form.described):
                    raise
                # The step asks for more than the form: keep the draft and ask there.
                session.commit()
                flash(_("The draft is saved. One more question before it can be sent."), "warning")
                return redirect(f"{self.url('show', pk=key)}#action-{self.form_step}")
            session.commit()
            assert self.model.workflow is not None
            flash(_("%(done)s.", done=self.model.workflow[self.form_step].done), "success")
        else:
            session.commit()
            flash(_("Saved."), "success")
        return redirect(self.url("show", pk=key))

    def _conflict(self, record: Any, form: RecordForm, title: str) -> Any:
        """Show what stands in the record now beside what was typed."""
        changes = []
        for name, asked in form.described.items():
            present = getattr(record, f"{name}_id" if asked.kind == "reference" else name)
            try:
                typed = asked.parse(form[name].data, record)
            except FieldError:
                typed = form[name].data
            if (typed or None) != (present or None):
                changes.append(
                    Change(
                        str(asked.label),
                        value_text(asked, getattr(record, name), record),
                        self._typed_text(asked, typed),
                    )
                )
        form["version"].data = str(record.version)
        who = record_changer(record)
        text = _(
            "%(who)s changed this record at %(at)s, so yours is not saved yet. "
            "The left column is what it says now, the right one what you typed; saving again takes yours.",
            who=who,
            at=value_text(Field("at", "", "datetime"), record.changed_at),
        )
        return self._form_page(record, form, title, status=409, conflict=tuple(changes), conflict_text=text)

    def _typed_text(self, asked: Field, typed: Any) -> str:
        if asked.kind == "reference" and isinstance(typed, int):
            return next((name for _key, name in references.labels(db.session(), asked, [typed])), "")
        if asked.kind == "choice" and isinstance(typed, str):
            return next((str(label) for value, label in asked.options(None) if value == typed), typed)
        return value_text(asked, typed)

    def _form_page(
        self,
        record: Any,
        form: RecordForm,
        title: str,
        *,
        status: int = 200,
        conflict: tuple[Change, ...] = (),
        conflict_text: str = "",
    ) -> Any:
        known = record.id is not None
        page = FormPage(
            title=title,
            form=form,
            action_url=self.url("edit", pk=record.id) if known else self.url("add"),
            submit_label=_("Save draft") if self.form_step else _("Save"),
            step=self.form_step,
            step_label=str(self.step_label),
            cancel_url=self.url("show", pk=record.id) if known else self.url("list"),
            intro=_("No classified information may be entered here.")
            if any(asked.kind == "long_text" for asked in form.described.values())
            else "",
            conflict=conflict,
            conflict_text=conflict_text,
            autosave_key=f"{self.person().person_id}-{self.model.resource()}-{record.id if known else 'new'}",
            crumbs=(Link(str(self.model.plural), self.url("list")),),
        )
        return render_template("form.html", page=page, frame_active=(self.group, "")), status

    @expose("/delete/<int:pk>", methods=["POST"])
    def delete(self, pk: int) -> Any:
        """Delete a record, where its type allows it."""
        person = self.demand("can_delete")
        session = db.session()
        record = load_visible(session, self.model, pk)
        record.check_delete(person)
        session.delete(record)
        session.commit()
        flash(_("Deleted."), "success")
        return redirect(self.url("list"))

    # Choices of references

    @expose("/options/<name>")
    def options(self, name: str) -> Any:
        """Choices of a reference for typed words; `name` is a field, or `transition.field`."""
        self.person()
        step, _dot, field_name = name.rpartition(".")
        if step:
            workflow = self.model.workflow
            if workflow is None or step not in workflow or not self.may(workflow[step].permission):
                raise NotFound()
            known = {asked.name: asked for asked in workflow[step].known}
        else:
            if not (self.may("can_list") or self.may("can_edit")):
                raise NotFound()
            known = fields_of(self.model)
        asked = known.get(field_name)
        if asked is None or asked.kind not in ("reference", "references") or asked.target not in RECORD_TYPES:
            raise NotFound()
        return jsonify(results=references.search(db.session(), asked, request.args.get("q", "")))


def record_changer(record: Any) -> str:
    """Who changed a record last, by name."""
    from models.person import Person

    if record.changed_by_id is None:
        return _("The system")
    with viewer.system():
        person = db.session.get(Person, record.changed_by_id)
        return person.name if person is not None else _("Somebody")
