"""A transition on several records at once: each in a transaction of its own, and an honest account of what was done and what was not, and why."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa
from flask import flash, redirect, render_template, request, url_for
from flask_appbuilder import expose
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy.orm.exc import StaleDataError

from app.database import db
from app.portal.forms import RecordForm
from app.portal.page import BulkPage, Link, Skipped
from app.portal.record.stepped import Stepped
from app.security.signin import safe_target
from models import viewer
from models.field import FieldError
from models.refusal import Forbidden, Invalid, NotFound, Refused
from models.workflow import Transition, load_visible, perform

MOST = 500
"""Records on which a step is performed at once."""


@dataclass
class Outcome:
    """What became of the chosen records."""

    done: list[int] = field(default_factory=list)
    """The keys of those on which the step was done."""
    skipped: dict[str, list[Link]] = field(default_factory=dict)
    """Those on which the step was not done, by reason."""

    @property
    def left(self) -> int:
        return sum(len(records) for records in self.skipped.values())

    @property
    def accounts(self) -> tuple[Skipped, ...]:
        """The records that were left, by reason, for a page."""
        return tuple(Skipped(reason, tuple(records)) for reason, records in self.skipped.items())


class Bulk(Stepped):
    """Steps on several records of a list."""

    @expose("/bulk/<name>", methods=["POST"])
    def bulk(self, name: str) -> Any:
        """Perform a step on every chosen record. One that asks for something shows its form first, once for all of them."""
        person = self.person()
        workflow = self.model.workflow
        if workflow is None or name not in workflow or not workflow[name].bulk:
            raise NotFound(_l("There is no such step."))
        transition = workflow[name]
        if not person.may(transition.permission, self.model.__name__):
            raise Forbidden()
        keys = chosen_keys()
        back = self._back()
        if not keys:
            return self._nothing_chosen(back)
        values: Mapping[str, Any] = {}
        example = self._example_of(transition, keys)
        if example is not None and self._asks(transition, example):
            form = self.step_form(example, transition, submitted="answered" in request.form)
            if "answered" not in request.form:
                return self._ask(transition, form, keys, back)
            if not _complete(form, example):
                return self._ask(transition, form, keys, back, 422)
            values = form.values()
        outcome = self._perform_all(transition, keys, values)
        if outcome.done:
            flash(_("%(step)s: %(count)d done.", step=transition.label, count=len(outcome.done)), "success")
        if not outcome.skipped:
            return redirect(back)
        return self._account(transition, outcome, back)

    @staticmethod
    def _nothing_chosen(back: str) -> Any:
        flash(_("Please select at least one entry first."), "warning")
        return redirect(back)

    def _back(self) -> str:
        """The list as it was when the rows were chosen."""
        target = safe_target(request.form.get("next"))
        return self.url("list") if target == url_for("HomeView.home") else target

    def _example_of(self, transition: Transition, keys: Sequence[int]) -> Any:
        """One of the chosen records on which the step is possible, for the questions that depend on a record."""
        model: Any = self.model
        fit = (model.id.in_(keys), model.state.in_(transition.sources))
        return db.session.scalars(sa.select(model).where(*fit).order_by(model.id).limit(1)).unique().first()

    @staticmethod
    def _asks(transition: Transition, example: Any) -> bool:
        with viewer.system():
            return bool(transition.fields(example))

    def _ask(self, transition: Transition, form: RecordForm, keys: Sequence[int], back: str, status: int = 200) -> Any:
        page = BulkPage(
            title=str(transition.label),
            back_url=back,
            form=form,
            action_url=self.url("bulk", name=transition.name),
            submit_label=str(transition.label),
            keys=tuple(map(str, keys)),
            intro=_("What you enter here counts for every selected entry (%(count)d).", count=len(keys)),
            crumbs=(Link(str(self.model.plural), back),),
        )
        return render_template("bulk.html", page=page, frame_active=(self.group, "")), status

    def _perform_all(self, transition: Transition, keys: Sequence[int], values: Mapping[str, Any]) -> Outcome:
        session, outcome = db.session(), Outcome()
        for key in keys:
            try:
                perform(session, self.model, key, transition.name, values)
                session.commit()
                outcome.done.append(key)
            except (Refused, StaleDataError) as refused:
                session.rollback()
                outcome.skipped.setdefault(_reason(refused), []).append(self._named(key, refused))
        return outcome

    def _named(self, key: int, refused: Exception | None = None) -> Link:
        """What people call a record that was left; nothing but its key where it is not theirs to see."""
        if isinstance(refused, NotFound):
            return Link(str(key), "")
        record = load_visible(db.session(), self.model, key)
        name = " ".join(filter(None, (getattr(record, "number", None), record.title)))
        link = Link(name, self.url_of(record))
        db.session.rollback()
        return link

    def _account(self, transition: Transition, outcome: Outcome, back: str) -> Any:
        reasons = " ".join(outcome.skipped)
        flash(_("%(count)d skipped: %(reasons)s", count=outcome.left, reasons=reasons), "warning")
        page = BulkPage(
            title=str(transition.label),
            back_url=back,
            skipped=outcome.accounts,
            crumbs=(Link(str(self.model.plural), back),),
        )
        return render_template("bulk.html", page=page, frame_active=(self.group, ""))


def chosen_keys() -> list[int]:
    """The keys of the records chosen in a list, each once, at most as many as are done at once."""
    numbers = (int(one) for one in request.form.getlist("keys") if one.isascii() and one.isdigit() and len(one) < 19)
    return list(dict.fromkeys(numbers))[:MOST]


def _complete(form: RecordForm, example: Any) -> bool:
    """Whether everything that the form asks for was answered; what is wrong stands beside its field then."""
    errors: dict[str, Any] = {}
    for name, raw in form.values().items():
        try:
            form.described[name].check_present(form.described[name].parse(raw, example))
        except FieldError as error:
            errors[name] = error.message
    if errors:
        form.show_errors(Invalid(errors))
    return not errors


def _reason(refused: Exception) -> str:
    if isinstance(refused, Invalid):
        return " ".join(str(message) for messages in refused.errors.values() for message in messages)
    return str(getattr(refused, "message", _("Somebody else changed this record at the same moment.")))
