"""The inbox: messages to a person about events."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from flask import redirect, render_template, request, url_for
from flask_appbuilder import expose
from flask_appbuilder.baseviews import BaseView
from flask_babel import gettext as _

from app.database import db
from app.notifications import text_of, why_told, wording_of
from app.portal.deadline import exact
from app.portal.page import Button, Empty, InboxItem, InboxPage, Tone
from models import clock, viewer
from models.call import Assignment
from models.notification import Notification
from models.refusal import NotFound
from models.workflow import load_visible
from views.alarm import can_confirm, confirm

PAGE = 30
PAGES = {"director_sheet": "DirectorSheetView.list"}
"""Messages that are about a page rather than a record."""


class InboxView(BaseView):
    """A person's messages, newest first."""

    route_base = "/inbox"
    default_view = "list"

    @expose("/")
    def list(self) -> Any:
        if viewer.current_person() is None:
            return redirect(url_for("SignInView.login", next=request.path))
        before = request.args.get("before", "")
        query = sa.select(Notification).order_by(Notification.id.desc()).limit(PAGE + 1)
        if before.isdecimal() and len(before) < 19:
            query = query.where(Notification.id < int(before))
        found = db.session.scalars(query).all()
        ringing = self._ringing(found[:PAGE])
        items = []
        for one in found[:PAGE]:
            title, text = text_of(one)
            tone: Tone = "others" if one.read_at else "waiting"
            items.append(
                InboxItem(
                    title,
                    text,
                    exact(one.made_at),
                    url_for("InboxView.open", pk=one.id),
                    one.read_at is not None,
                    tone,
                    why_told(one),
                    Button(
                        _("Confirm the alarm"),
                        url_for("InboxView.confirm", pk=one.id),
                        icon="check",
                        primary=True,
                        method="post",
                    )
                    if one.id in ringing
                    else None,
                )
            )
        page = InboxPage(
            title=_("Messages"),
            items=tuple(items),
            empty=Empty(_("No messages yet. What concerns you will stand here.")),
            read_all_url=url_for("InboxView.read_all") if any(not one.read for one in items) else "",
            previous_url=url_for("InboxView.list") if before else "",
            next_url=url_for("InboxView.list", before=found[PAGE - 1].id) if len(found) > PAGE else "",
        )
        return render_template("inbox.html", page=page)

    @staticmethod
    def _ringing(found: Sequence[Notification]) -> set[int]:
        """The messages whose alarm this person can confirm now."""
        person = viewer.current_person()
        assert person is not None
        alarms = {
            one.id: one.values["assignment"] for one in found if wording_of(one).rings and "assignment" in one.values
        }
        if not alarms:
            return set()
        assignments = db.session.scalars(sa.select(Assignment).where(Assignment.id.in_(set(alarms.values()))))
        open_ones = {one.id for one in assignments if can_confirm(one, person)}
        return {key for key, assignment_id in alarms.items() if assignment_id in open_ones}

    @expose("/<int:pk>/confirm", methods=["POST"])
    def confirm(self, pk: int) -> Any:
        """Confirm the alarm that a message is about."""
        person = viewer.current_person()
        if person is None:
            return redirect(url_for("SignInView.login"))
        one: Notification = load_visible(db.session(), Notification, pk)
        if not wording_of(one).rings or "assignment" not in one.values:
            raise NotFound()
        return confirm(one.values["assignment"], person)

    @expose("/<int:pk>", methods=["POST"])
    def open(self, pk: int) -> Any:
        """Mark a message read and go to what it is about."""
        if viewer.current_person() is None:
            return redirect(url_for("SignInView.login"))
        one: Notification = load_visible(db.session(), Notification, pk)
        one.read_at = one.read_at or clock.now()
        page = PAGES.get(one.kind)
        target = url_for(page) if page is not None else self.appbuilder.url_of(one.record_type, one.record_id)
        target = target or url_for("InboxView.list")
        db.session.commit()
        return redirect(target)

    @expose("/read", methods=["POST"])
    def read_all(self) -> Any:
        """Mark everything read."""
        if viewer.current_person() is None:
            return redirect(url_for("SignInView.login"))
        unread = sa.update(Notification).where(Notification.read_at.is_(None)).values(read_at=clock.now())
        db.session.execute(unread, execution_options={"synchronize_session": False})
        db.session.commit()
        return redirect(url_for("InboxView.list"))
