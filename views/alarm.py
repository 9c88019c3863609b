"""Confirming an emergency's alarm by one tap: from the link in a message, or from the inbox."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from flask import flash, redirect, render_template, request, url_for
from flask_appbuilder import expose
from flask_appbuilder.baseviews import BaseView
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from app.database import db
from app.portal.deadline import exact
from app.portal.page import AlarmPage, Button, Cell, Fact
from app.security.alarm_links import read_alarm_token
from models import clock, viewer
from models.call import Assignment
from models.notification import Notification
from models.refusal import NotFound
from models.viewer import Viewer
from models.workflow import load_visible, perform, possible


def can_confirm(assignment: Assignment, person: Viewer) -> bool:
    """Whether this person may stop the ringing of an assignment now."""
    return any(one.name == "acknowledge" for one in possible(assignment, person))


def confirm(assignment_id: int, person: Viewer) -> Any:
    """Confirm an alarm as the person looking, mark his messages about it as read, and go to the call. Raises Refused."""
    done = perform(db.session(), Assignment, assignment_id, "acknowledge", {"who": person.name[:60]})
    call_id = done.record.call_id
    read = (
        sa.update(Notification)
        .where(Notification.record_type == "call", Notification.record_id == call_id, Notification.read_at.is_(None))
        .values(read_at=clock.now())
    )
    db.session.execute(read, execution_options={"synchronize_session": False})
    db.session.commit()
    flash(_("The alarm is confirmed. Please respond to the township now."), "success")
    return redirect(url_for("CallView.show", pk=call_id))


class AlarmView(BaseView):
    """The page behind the link of a message."""

    route_base = "/alarm"
    default_view = "show"

    @expose("/", methods=["GET", "POST"])
    def show(self) -> Any:
        """The emergency and one button; nothing happens before that is pressed."""
        person = viewer.current_person()
        if person is None:
            return redirect(url_for("SignInView.login", next=request.full_path))
        assignment_id = read_alarm_token(request.values.get("for", ""), person.person_id)
        if assignment_id is None:
            raise NotFound(
                _l("This link is not yours, or it is too old. What you have to confirm stands in your inbox.")
            )
        if request.method == "POST":
            return confirm(assignment_id, person)
        assignment: Assignment = load_visible(db.session(), Assignment, assignment_id)
        return render_template("alarm.html", page=self._page(assignment, person))

    @staticmethod
    def _page(assignment: Assignment, person: Viewer) -> AlarmPage:
        call = assignment.call
        phone = call.contact_phone or call.township.phone
        told = (
            (_("Number"), Cell(call.number or "")),
            (_("Township"), Cell(call.township.short_name)),
            (_("Telephone"), Cell(phone, url=f"tel:{phone}") if phone else Cell()),
            (_("Place"), Cell(call.place)),
            (_("Department"), Cell(assignment.department.short_name)),
            (_("Response due"), Cell(exact(assignment.respond_due))),
        )
        open_url = url_for("CallView.show", pk=call.id)
        confirmed = ""
        if assignment.acknowledged_at is not None:
            confirmed = _(
                "Confirmed on %(at)s by %(who)s.", at=exact(assignment.acknowledged_at), who=assignment.acknowledged_by
            )
        button = Button(
            _("Confirm the alarm"),
            url_for("AlarmView.show"),
            icon="check",
            primary=True,
            method="post",
            fields=(("for", request.args["for"]),),
        )
        return AlarmPage(
            call.title,
            tuple(Fact(label, cell) for label, cell in told if cell.text),
            button if can_confirm(assignment, person) else None,
            confirmed,
            Button(_("Open the call"), open_url),
        )
