"""The generic form: new, edit, delete, and the choices of its references (face, Forms)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import flash, jsonify, redirect, render_template, request
from flask_appbuilder import expose
from flask_babel import gettext as _
from sqlalchemy.orm.exc import StaleDataError

from app.database import db
from app.portal import references
from app.portal.forms import RecordForm, make_form
from app.portal.page import Change, FormPage, Link
from app.portal.record.declared import Declared, number
from app.portal.record.merging import fingerprints, merge, read_fingerprints
from app.portal.rest import writing
from app.portal.words import value_text
from models import viewer
from models.base import RECORD_TYPES, described, fields_of, lines_of
from models.field import Field, FieldError
from models.refusal import Invalid, NotFound
from models.workflow import load_visible, perform


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
        return found | lines_of(self.model)

    def form_values(self, record: Any, fields: Mapping[str, Field]) -> dict[str, Any]:
        """What stands in a record, for its form: references by key, lines as rows."""
        values: dict[str, Any] = {}
        for name, asked in fields.items():
            if asked.lines:
                inner = {one.name: one for one in asked.entries}
                values[name] = [self.form_values(line, inner) for line in getattr(record, name)]
            else:
                values[name] = getattr(record, f"{name}_id" if asked.kind == "reference" else name)
        return values

    def record_form(self, record: Any, *, submitted: bool) -> RecordForm:
        fields = self.form_fields(record)
        values = self.form_values(record, fields)
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
            mark=fingerprints,
        )

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
            writing.fill(session, record, form.values(), person, new=False)
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
            writing.fill(session, record, form.values(), person, new=False)
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
        """Take over what only the other person changed; show what both changed, with what was typed still in the form."""
        fresh = self.record_form(record, submitted=False)
        typed, present = form.values(), fresh.values()
        found = merge(typed, present, read_fingerprints(request.form.get("was")))

        def change(name: str, value: Any) -> Change:
            asked = form.described[name]
            return Change(str(asked.label), self._typed_text(asked, present[name]), self._typed_text(asked, value))

        conflict = tuple(change(name, typed[name]) for name in found.both)
        merged = tuple(change(name, typed[name]) for name in found.theirs)
        for name in found.theirs:
            form.replace(name, fresh)
        form["version"].data, form["was"].data = str(record.version), fresh["was"].data
        who, at = record_changer(record), value_text(Field("at", "", "datetime"), record.changed_at)
        text = (
            _("%(who)s changed this record at %(at)s, so yours is not saved yet. Please choose where both of you changed the same: "
              "the left column is what it says now, the right one what you typed; saving again takes what stands in the form.", who=who, at=at)
            if conflict
            else _("%(who)s changed this record at %(at)s, so yours is not saved yet. Nothing of it contradicts what you typed: "
                   "please look, and save again.", who=who, at=at)
        )  # fmt: skip
        return self._form_page(record, form, title, status=409, conflict=conflict, merged=merged, conflict_text=text)

    def _typed_text(self, asked: Field, typed: Any) -> str:
        """What stands in a field, in words."""
        if asked.lines:
            rows = [[self._typed_text(one, row.get(one.name)) for one in asked.entries[1:]] for row in typed]
            return "\n".join("；".join(filter(None, row)) for row in rows)
        try:
            value = asked.parse(typed)
        except FieldError:
            return str(typed)
        if asked.kind == "reference" and isinstance(value, int):
            return next((name for _key, name in references.labels(db.session(), asked, [value])), "")
        return value_text(asked, value)

    def _form_page(
        self,
        record: Any,
        form: RecordForm,
        title: str,
        *,
        status: int = 200,
        conflict: tuple[Change, ...] = (),
        merged: tuple[Change, ...] = (),
        conflict_text: str = "",
    ) -> Any:
        known = record.id is not None
        page = FormPage(
            title=title,
            form=form,
            folded=self.folded,
            action_url=self.url("edit", pk=record.id) if known else self.url("add"),
            submit_label=_("Save draft") if self.form_step else _("Save"),
            step=self.form_step,
            step_label=str(self.step_label),
            cancel_url=self.url("show", pk=record.id) if known else self.url("list"),
            intro=_("No classified information may be entered here.")
            if any(asked.kind == "long_text" for asked in form.described.values())
            else "",
            conflict=conflict,
            merged=merged,
            conflict_text=conflict_text,
            autosave_key=f"{self.person().person_id}-{self.model.resource()}-{record.id if known else 'new'}",
            crumbs=(Link(str(self.model.plural), self.url("list")),),
            preview_url=self.preview_url(record) if known else "",
        )
        return render_template("form.html", page=page, frame_active=(self.group, "")), status

    def preview_url(self, record: Any) -> str:
        """Where a saved record's form shows what is typed as the paper that it becomes; empty for none."""
        return ""

    @expose("/delete/<int:pk>", methods=["POST"])
    def delete(self, pk: int) -> Any:
        """Delete a record, where its type allows it."""
        person = self.demand("can_delete")
        session = db.session()
        record = load_visible(session, self.model, pk)
        writing.remove(session, record, person)
        session.commit()
        flash(_("Deleted."), "success")
        return redirect(self.url("list"))

    # Choices of references

    @expose("/options/<name>")
    def options(self, name: str) -> Any:
        """Choices of a reference for typed words; `name` is a field, or `transition.field`."""
        self.person()
        step, _dot, field_name = name.rpartition(".")
        lines = lines_of(self.model)
        if step and step not in lines:
            workflow = self.model.workflow
            if workflow is None or step not in workflow or not self.may(workflow[step].permission):
                raise NotFound()
            known = {asked.name: asked for asked in workflow[step].known}
        elif step:
            known = {asked.name: asked for asked in lines[step].entries}
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
