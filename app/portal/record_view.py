"""The low-code part: from a record type's declaration its list, search, form, page, transition buttons and permissions (design, decision 1)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import sqlalchemy as sa
from flask import abort, flash, jsonify, redirect, render_template, request, url_for
from flask_appbuilder import expose
from flask_appbuilder.baseviews import BaseView
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy.orm import joinedload
from sqlalchemy.orm.exc import StaleDataError

from app.database import db
from app.portal import references
from app.portal.forms import RecordForm, make_form
from app.portal.listing import Listing, TabSpec
from app.portal.page import Action, Button, Cell, Change, Fact, FormPage, Link, RecordPage, Section
from app.portal.timeline import entries, happened
from app.portal.words import pill, value_text
from models import viewer
from models.base import RECORD_TYPES, Record, described, fields_of
from models.field import Field, FieldError
from models.viewer import Viewer
from models.workflow import (
    Conflict,
    Forbidden,
    Invalid,
    NotFound,
    Refused,
    Stale,
    Transition,
    load_visible,
    perform,
    permitted,
    possible,
)


@dataclass(frozen=True)
class Failed:
    """A transition that was refused: shown again, open, with everything that was typed."""

    record: Record
    transition: Transition
    form: RecordForm
    message: str = ""


class RecordView(BaseView):  # type: ignore[misc]
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
    form_step: ClassVar[str] = ""
    """A transition that the form's main button performs after saving (提交呼叫)."""
    step_label: ClassVar[Any] = ""
    template_folder = "../templates"
    default_view = "list"

    def __init__(self) -> None:
        self.class_permission_name = self.model.__name__
        self.route_base = f"/{self.model.resource()}"
        super().__init__()

    @classmethod
    def grants(cls) -> dict[str, frozenset[str]]:
        """The generic permissions and the roles that have them by default. Transitions bring their own."""
        found = {"can_list": cls.readers, "can_show": cls.readers}
        if cls.writers:
            found |= {
                "can_add": cls.writers,
                "can_edit": cls.writers,
                "can_delete": cls.writers if cls.deleters is None else cls.deleters,
            }
        return found

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
        return person

    def url(self, page: str, **values: Any) -> str:
        return str(url_for(f"{self.endpoint}.{page}", **values))

    def url_of(self, record: Record) -> str:
        return self.url("show", pk=record.id)

    # List

    @expose("/list/")
    def list(self) -> Any:
        """The list, newest first, filtered, searched, paged by key."""
        person = self.demand("can_list")
        listing = Listing(self, person, request.args)
        return render_template(
            "list.html", page=listing.page(), frame_active=(self.group, listing.tab.name if listing.tab else "")
        )

    def column_names(self) -> tuple[str, ...]:
        return self.columns or tuple(name for name in fields_of(self.model) if described(self.model, name)["listed"])

    def tabs(self, person: Viewer) -> tuple[TabSpec, ...]:
        """Saved views that this person's work needs; the first is shown when none is asked for."""
        return ()

    def load_options(self) -> Sequence[Any]:
        """Loader options of the list: the references that it shows, in the same statement."""
        names = [
            name
            for name in self.column_names()
            if name in fields_of(self.model) and fields_of(self.model)[name].kind == "reference"
        ]
        return [joinedload(getattr(self.model, name)) for name in names]

    def cell(self, record: Any, name: str) -> Cell:
        """A cell of the list."""
        drawn: Callable[[Any], Cell] | None = getattr(self, f"cell_{name}", None)
        if drawn is not None:
            return drawn(record)
        asked = fields_of(self.model)[name]
        value = getattr(record, name)
        if name == "state":
            return Cell(pill=pill(value))
        return Cell(value_text(asked, value, record), number=asked.kind in ("integer", "decimal"))

    def column_label(self, name: str) -> str:
        fields = fields_of(self.model)
        return str(fields[name].label) if name in fields else str(getattr(self, f"cell_{name}").label)

    def new_title(self) -> str:
        """Title of the form for a new record, and of the button that opens it."""
        return _("New: %(what)s", what=self.model.label)

    def buttons(self, person: Viewer) -> tuple[Button, ...]:
        """Buttons above the list."""
        if not person.may("can_add", self.model.__name__):
            return ()
        return (Button(self.new_title(), self.url("add"), icon="plus", primary=True),)

    def row_badge(self, record: Any) -> Any:
        return None

    # Page

    @expose("/show/<int:pk>")
    def show(self, pk: int) -> Any:
        """A record's page."""
        self.demand("can_show")
        return self.render(load_visible(db.session(), self.model, pk, self.page_options()))

    def page_options(self) -> Sequence[Any]:
        """Loader options of the page: what it shows of other records, in few statements."""
        return ()

    def render(self, record: Any, failed: Failed | None = None, status: int = 200) -> Any:
        page = self.record_page(record, failed)
        return render_template("record.html", page=page, frame_active=(self.group, "")), status

    def record_page(self, record: Any, failed: Failed | None) -> RecordPage:
        """The page's content as plain data. A type with a richer page overrides the parts that differ."""
        person = self.person()
        return RecordPage(
            title=record.title,
            kind=str(self.model.label),
            pill=pill(record.state) if hasattr(record, "state") else None,
            body=self.body(record),
            facts=self.facts(record),
            timeline=self.timeline(record),
            sections=self.sections(record),
            actions=self.actions(record, failed),
            buttons=self.record_buttons(record, person),
            crumbs=(Link(str(self.model.plural), self.url("list")),),
        )

    def body(self, record: Any) -> tuple[Fact, ...]:
        """The long texts, in the left column."""
        texts = (
            (asked, value_text(asked, getattr(record, name), record))
            for name, asked in fields_of(self.model).items()
            if asked.kind == "long_text"
        )
        return tuple(Fact(str(asked.label), Cell(text), long=True) for asked, text in texts if text)

    def facts(self, record: Any) -> tuple[Fact, ...]:
        """Everything else that is filled, in the right column."""
        found = []
        for name, asked in fields_of(self.model).items():
            if name == "state" or asked.kind == "long_text":
                continue
            text = value_text(asked, getattr(record, name), record)
            if text:
                found.append(Fact(str(asked.label), Cell(text, url=self.reference_url(asked, record, name))))
        return tuple(found)

    def sections(self, record: Any) -> tuple[Section, ...]:
        """Blocks below the facts: related records."""
        return ()

    def reference_url(self, asked: Field, record: Any, name: str) -> str:
        """Where a reference leads, if it has a page that this person opens."""
        target = getattr(record, name)
        if asked.kind != "reference" or target is None or asked.target not in RECORD_TYPES:
            return ""
        return self.page_url(asked.target, target.id)

    def page_url(self, record_type: str, record_id: int) -> str:
        if not self.person().may("can_show", RECORD_TYPES[record_type].__name__):
            return ""
        return str(self.appbuilder.url_of(record_type, record_id))

    def record_buttons(self, record: Any, person: Viewer) -> tuple[Button, ...]:
        """Edit and delete, where possible now."""
        found = []
        for permission, check, button in (
            ("can_edit", record.check_change, Button(_("Edit"), self.url("edit", pk=record.id), icon="pencil")),
            (
                "can_delete",
                record.check_delete,
                Button(
                    _("Delete"),
                    self.url("delete", pk=record.id),
                    icon="trash",
                    method="post",
                    confirm=_("Delete this record?"),
                ),
            ),
        ):
            if not person.may(permission, self.model.__name__):
                continue
            try:
                check(person)
            except Refused:
                continue
            found.append(button)
        return tuple(found)

    def sees_all_values(self, record: Any, person: Viewer) -> bool:
        """Whether the timeline shows also values narrowed to one organisation."""
        return False

    def withheld(self, record: Any, person: Viewer) -> frozenset[str]:
        """Names of fields that this person does not read, though he sees the record."""
        return frozenset()

    def timeline(self, record: Any) -> Any:
        person = self.person()
        thread = record.thread
        if thread is not record:
            return ()
        found = happened(
            db.session(),
            thread,
            person,
            sees_all=self.sees_all_values(record, person),
            without=self.withheld(record, person),
        )
        return entries(found, self.timeline_titles(record), self.document_urls(found))

    def timeline_titles(self, record: Any) -> Mapping[tuple[str, int], str]:
        """Names of dependent records on this record's timeline."""
        return {}

    def document_urls(self, found: Sequence[Any]) -> Callable[[int], str]:
        """Addresses of the papers on a timeline that this person may open; the row filter decides."""
        from models.document import Document

        wanted = {one.values["document"]["id"] for one in found if isinstance(one.values.get("document"), dict)}
        visible = set(db.session.scalars(sa.select(Document.id).where(Document.id.in_(wanted)))) if wanted else set()
        return lambda key: str(url_for("DocumentView.pdf", pk=key)) if key in visible else ""

    # Transitions

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
        return tuple(found)

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
            perform(session, self.model, pk, name, form.values(), version=_number(form["version"].data))
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

    @expose("/bulk/<name>", methods=["POST"])
    def bulk(self, name: str) -> Any:
        """Perform a transition on every chosen record, each in a transaction of its own, and say honestly what happened."""
        self.person()
        workflow = self.model.workflow
        if workflow is None or name not in workflow or not workflow[name].bulk:
            raise NotFound(_l("There is no such step."))
        done, skipped = 0, []
        session = db.session()
        for key in [int(one) for one in request.form.getlist("keys")[:500] if one.isdecimal()]:
            try:
                perform(session, self.model, key, name)
                session.commit()
                done += 1
            except (Refused, StaleDataError) as refused:
                session.rollback()
                skipped.append(
                    str(getattr(refused, "message", _("Somebody else changed this record at the same moment.")))
                )
        flash(_("%(step)s: %(count)d done.", step=workflow[name].label, count=done), "success" if done else "warning")
        if skipped:
            flash(
                _("%(count)d skipped: %(reasons)s", count=len(skipped), reasons=" ".join(dict.fromkeys(skipped))),
                "warning",
            )
        return redirect(self.url("list"))

    # Form

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
        if _number(request.form.get("version")) != record.version:
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


def _number(text: Any) -> int | None:
    return int(text) if isinstance(text, str) and text.isdecimal() and len(text) < 10 else None
