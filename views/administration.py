"""Settings of the county, with their units and where they came from."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import sqlalchemy as sa
from flask import flash, redirect, render_template, request, url_for
from flask_appbuilder import expose
from flask_babel import gettext as _

from app.database import db
from app.portal.deadline import exact
from app.portal.page import Button, Cell, Column, Fact
from app.portal.record_view import RecordView
from app.portal.sheet import Block, Sheet, SheetRow
from models.field import Field
from models.person import Person
from models.setting import SETTINGS, Setting, SettingSpec
from models.workflow import load_visible


class SettingView(RecordView):
    model = Setting
    readers = frozenset({"system_administrator"})
    writers = frozenset({"system_administrator"})
    rest_methods = frozenset({"list", "show", "add", "edit", "delete"})
    group = "administration"

    @expose("/list/")
    def list(self) -> Any:
        """Every setting that the program knows: meaning, value in force, factory value, who changed it last."""
        self.demand("can_list")
        own = {
            setting.name: (setting, changer)
            for setting, changer in db.session.execute(
                sa.select(Setting, Person.name).outerjoin(Person, Person.id == Setting.changed_by_id)
            )
        }
        columns = (
            Column("setting", _("Setting")),
            Column("value", _("In force")),
            Column("factory", _("Factory value")),
            Column("changed", _("Changed")),
        )
        rows = tuple(self._row(spec, *own.get(spec.name, (None, None))) for spec in SETTINGS.values())
        page = Sheet(
            str(Setting.plural),
            (Block(columns=columns, rows=rows),),
            intro=_(
                "Numbers of days and hours have a unit of their own. A change holds for deadlines set from now on; those that stand already stay."
            ),
        )
        return render_template("sheet.html", page=page, frame_active=(self.group, ""))

    def _row(self, spec: SettingSpec, setting: Setting | None, changer: str | None) -> SheetRow:
        factory = Setting(name=spec.name, value=spec.default)
        changed = (
            _("%(at)s by %(who)s", at=exact(setting.changed_at), who=changer or _("the system")) if setting else ""
        )
        buttons: tuple[Button, ...] = ()
        if self.may("can_edit"):
            address = self.url("edit", pk=setting.id) if setting else self.url("add", name=spec.name)
            buttons = (Button(_("Change"), address),)
        differs = setting is not None and setting.value != spec.default
        return SheetRow(
            (
                Cell(str(spec.label), url=self.url("show", pk=setting.id) if setting else ""),
                Cell((setting or factory).words or _("(empty)"), hint=_("differs") if differs else ""),
                Cell(factory.words or _("(empty)")),
                Cell(changed),
            ),
            buttons,
        )

    def form_fields(self, record: Any) -> dict[str, Field]:
        """One setting at a time; what it may be decides what is asked."""
        found = super().form_fields(record)
        spec = SETTINGS.get(record.name or self._asked_for() or "")
        if record.id is not None:
            found.pop("name", None)
        if spec is None:
            return found
        factory = Setting(name=spec.name, value=spec.default).words
        value = replace(found["value"], label=spec.label, default=lambda record, person: factory)
        if spec.kind == "boolean":
            value = replace(value, kind="choice", choices=lambda record: [("yes", _("Yes")), ("no", _("No"))], help="")
        elif spec.kind != "limit":
            value = replace(value, help="", required=spec.kind == "integer")
        return found | {"value": value}

    def record_form(self, record: Any, *, submitted: bool) -> Any:
        """A limit is shown in words, as it is typed."""
        form = super().record_form(record, submitted=submitted)
        if not submitted and record.id is not None:
            form["value"].data = record.words
        return form

    def new_title(self) -> str:
        """Every setting has a value before anybody has entered one."""
        return _("Change a setting")

    @staticmethod
    def _asked_for() -> str:
        return request.values.get("name", "")[:64]

    def cell_value(self, setting: Setting) -> Cell:
        return Cell(setting.words)

    def facts(self, record: Any) -> tuple[Fact, ...]:
        spec = SETTINGS.get(record.name)
        factory = Setting(name=spec.name, value=spec.default).words if spec is not None else ""
        return (Fact(_("In force"), Cell(record.words)), Fact(_("Factory value"), Cell(factory or _("(empty)"))))

    def record_buttons(self, record: Any, person: Any) -> tuple[Button, ...]:
        buttons = tuple(one for one in super().record_buttons(record, person) if one.icon != "trash")
        spec = SETTINGS.get(record.name)
        if not person.may("can_edit", "Setting") or spec is None or record.value == spec.default:
            return buttons
        back = Button(
            _("Back to the factory value"), self.url("factory", pk=record.id), icon="arrow-back-up", method="post"
        )
        return (*buttons, back)

    @expose("/factory/<int:pk>", methods=["POST"])
    def factory(self, pk: int) -> Any:
        """Put a setting back to the factory value; its history goes on."""
        self.demand("can_edit")
        record = load_visible(db.session(), Setting, pk)
        record.value = SETTINGS[record.name].default
        db.session.commit()
        flash(_("Saved."), "success")
        return redirect(url_for("SettingView.list"))
