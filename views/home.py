"""The workbench: what waits for this person, nearest deadline first, with the one action that moves it (face, Home)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import sqlalchemy as sa
from flask import abort, current_app, jsonify, redirect, render_template, request, session, url_for
from flask_appbuilder import expose
from flask_appbuilder.baseviews import BaseView
from flask_babel import gettext as _
from sqlalchemy.orm import joinedload, selectinload

from app.database import db
from app.portal.deadline import Measure
from app.portal.frame import waiting_counts
from app.portal.page import Button, Empty, HomePage, Link, Tile, WorkItem
from app.portal.waiting import waiting_lists
from app.portal.words import pill
from app.security.signin import safe_target
from models import clock, viewer
from models.bulletin import Bulletin
from models.calendar import work_calendar
from models.call import Assignment, Call
from models.call_party import CallParty, due_of
from models.call_words import CallState
from models.document import Document
from models.escalation import Instruction
from models.person import Person
from models.review import ReviewRequest
from models.supervision import Notice
from models.viewer import Viewer
from models.workflow import possible
from views.bulletin import to_approve
from views.call import call_badge
from views.call_records import without_progress
from views.document import to_sign
from views.setup import set_up_items
from views.supervision import to_decide
from views.work import OPEN, WORKED_ON, candidates, emergencies, nearest, overdue, todo, unconfirmed

CAP = 999
NEXT = 12
"""Items of the next list."""
NEWS = 6

MODELS: Mapping[str, Any] = {
    "AssignmentView": Assignment,
    "BulletinView": Bulletin,
    "CallView": Call,
    "InstructionView": Instruction,
    "NoticeView": Notice,
    "ReviewRequestView": ReviewRequest,
}
"""Record types of the lists that the tiles open."""


class HomeView(BaseView):
    """The first page of everybody."""

    route_base = "/"
    default_view = "home"

    @expose("/")
    def home(self) -> Any:
        person = viewer.current_person()
        if person is None:
            return redirect(url_for("SignInView.login"))
        return render_template("home.html", page=self.page(person))

    @expose("/counts")
    def counts(self) -> Any:
        """How much waits behind each entry of the navigation, by its address."""
        person = viewer.current_person()
        if person is None:
            abort(401)
        return jsonify(waiting_counts(person))

    def page(self, person: Viewer) -> HomePage:
        sees_calls = person.may("can_list", "Call")
        return HomePage(
            greeting=_("%(name)s, good to see you", name=person.name),
            tiles=self.tiles(person) if sees_calls else (),
            next=(
                *(self.next(person) if sees_calls else set_up_items(person)),
                *waiting_lists(person, without=Call.resource()),
            ),
            empty=self.empty(person),
            news_title=_("Latest papers") if person.may("can_list", "Document") else "",
            news=tuple(self.news()) if person.may("can_list", "Document") else (),
            buttons=tuple(self.buttons(person)),
        )

    @staticmethod
    def buttons(person: Viewer) -> Iterable[Button]:
        if person.may("can_list", "Cockpit"):
            yield Button(_("Leaders' cockpit"), url_for("CockpitView.list"), icon="chart-dots")
        if person.may("can_add", "Call"):
            yield Button(_("Raise a call"), url_for("CallView.add"), icon="plus", primary=True)

    @staticmethod
    def empty(person: Viewer) -> Empty:
        if person.may("can_add", "Call"):
            return Empty(
                _("Nothing waits for you. If something needs a county department, raise a call."),
                Button(_("Raise a call"), url_for("CallView.add"), icon="plus"),
            )
        if person.may("can_list", "Call"):
            return Empty(_("Nothing waits for you at present."))
        return Empty(_("Nothing waits for you at present. All your pages are in the navigation."))

    def tiles(self, person: Viewer) -> tuple[Tile, ...]:
        """At most five numbers, counted in one statement, each opening its list."""
        now = clock.now()
        calendar = work_calendar(db.session(), person.county_id) if person.county_id else None
        waiting = todo(person)
        today = calendar.close_of_day(calendar.local_date(now)) if calendar else now
        wanted: list[tuple[str, Any, str, Any]] = []
        of_role = self._of_role(person)
        if of_role:
            return self._counted(person, [*of_role, (_("Already overdue"), overdue(person), "overdue", "overdue")])
        if waiting is not None:
            wanted.append((_("To do"), waiting, "todo", "waiting"))
            due_today = sa.select(CallParty.call_id).where(CallParty.due > now, CallParty.due <= today)
            if person.has_role("department_officer"):
                due_today = due_today.where(CallParty.organisation_id == person.organisation_id)
            wanted.append(
                (_("Due today"), sa.and_(Call.state == CallState.dispatched, Call.id.in_(due_today)), "open", "waiting")
            )
        wanted.append((_("Already overdue"), overdue(person), "overdue", "overdue"))
        wanted.append((_("Waiting for others"), self._others(person), "open", "others"))
        if person.has_role("township_officer"):
            wanted.append((_("Drafts"), Call.state == CallState.draft, "drafts", "muted"))
        return self._counted(person, wanted)

    def _of_role(self, person: Viewer) -> list[tuple[str, Any, str, Any]]:
        """Of those whose work is not the single call's way: supervisors, county leaders themselves, officers on duty."""
        if person.has_role("supervisor"):
            return self._supervised(person)
        if "county_leader" in person.own_roles:
            return self._decided(person)
        if person.has_role("duty_officer") and not person.has_role("dispatcher"):
            return self._watched(person)
        return []

    @staticmethod
    def _decided(person: Viewer) -> list[tuple[str, Any, str, Any]]:
        """What waits for a leader: escalations and long-term plans, bulletins, reviews; and which of his instructions nobody acted on."""
        return [
            (_("Before me for decision"), todo(person), "todo", "waiting"),
            (_("Bulletins to approve"), to_approve(person), "BulletinView.to_approve", "waiting"),
            (_("Reviews to decide"), to_decide(person), "ReviewRequestView.to_decide", "waiting"),
            (_("Instructions without progress"), without_progress(person), "InstructionView.idle", "others"),
        ]

    @staticmethod
    def _watched(person: Viewer) -> list[tuple[str, Any, str, Any]]:
        """What an officer on duty watches: alarms that still ring, emergencies under way, his telephone entries."""
        return [
            (_("Alarms not confirmed"), todo(person), "todo", "waiting"),
            (_("Emergencies under way"), emergencies(), "emergencies", "going"),
            (_("My entries, not confirmed"), unconfirmed(person), "unconfirmed", "others"),
        ]

    @staticmethod
    def _supervised(person: Viewer) -> list[tuple[str, Any, str, Any]]:
        """What waits for a supervisor: slips to sign, assignments to be looked into (2.2)."""
        return [
            (_("Slips to sign"), to_sign(person), "NoticeView.to_sign", "waiting"),
            (_("To be looked into"), candidates(), "AssignmentView.candidates", "waiting"),
        ]

    @staticmethod
    def _counted(person: Viewer, wanted: list[tuple[str, Any, str, Any]]) -> tuple[Tile, ...]:
        """Tiles with their numbers, each of a list of calls, or of another one named as `View.tab`, that this person opens."""
        places = [
            (label, where, view or "CallView", name, tone)
            for label, where, tab, tone in wanted
            for view, _dot, name in [tab.rpartition(".")]
        ]
        places = [one for one in places if person.may("can_list", MODELS[one[2]].__name__)]
        counts = [
            sa.select(sa.func.count())
            .select_from(sa.select(MODELS[view].id).where(where).limit(CAP + 1).subquery())
            .scalar_subquery()
            for _label, where, view, _name, _tone in places
        ]
        row = db.session.execute(sa.select(*counts)).one()
        return tuple(
            Tile(label, min(count, CAP), url_for(f"{view}.list", tab=name), tone, capped=count > CAP)
            for (label, _where, view, name, tone), count in zip(places, row, strict=True)
        )

    @staticmethod
    def _others(person: Viewer) -> sa.ColumnElement[bool]:
        """Calls on their way that wait for somebody else."""
        under_way: sa.ColumnElement[bool] = Call.state.in_(OPEN)
        waiting = todo(person)
        return sa.and_(under_way, ~waiting) if waiting is not None else under_way

    def next(self, person: Viewer) -> Iterable[WorkItem]:
        """What waits for this person, nearest deadline first."""
        shown = (
            joinedload(Call.township),
            selectinload(Call.assignments).options(
                joinedload(Assignment.department),
                joinedload(Assignment.return_request),
                joinedload(Assignment.extension),
            ),
        )
        calls = nearest(db.session(), person, NEXT, shown)
        for call in calls:
            measure = Measure(work_calendar(db.session(), call.county_id), wall=call.emergency)
            subtitle = " · ".join(filter(None, (call.number, call.township.short_name, call.field)))
            own = next((one for one in call.assignments if one.department_id == person.organisation_id), None)
            state = own.state if own is not None and due_of(own) is not None else call.state
            yield WorkItem(
                title=call.title or _("(no title yet)"),
                url=url_for("CallView.show", pk=call.id),
                subtitle=subtitle,
                badge=call_badge(call, person, measure),
                pill=pill(state),
                button=self._button(call, own, person),
                emergency=call.emergency,
            )

    @staticmethod
    def _button(call: Call, own: Assignment | None, person: Viewer) -> Button | None:
        """The one step that moves the matter, opened on the record's page. A ruling is not proposed one way: its department's part is opened."""
        address = url_for("CallView.show", pk=call.id)
        if call.state in (CallState.draft, CallState.returned) and person.may("can_edit", "Call"):
            return Button(_("Continue"), url_for("CallView.edit", pk=call.id), icon="pencil")
        if own is not None and own.state.value in WORKED_ON:
            step = next((one for one in possible(own, person) if one.primary), None)
            return Button(str(step.label), f"{address}#part-1-{step.name}", icon=step.icon) if step else None
        step = next((one for one in possible(call, person) if one.primary), None)
        if step is not None:
            return Button(str(step.label), f"{address}#action-{step.name}", icon=step.icon)
        for place, one in enumerate(call.assignments, start=1):
            steps = {found.name for found in possible(one, person)}
            if "uphold_return" in steps:
                return Button(_("Rule on the return"), f"{address}#part-{place}", icon="scale")
            if "grant_extension" in steps and one.extension is not None:
                return Button(_("Answer the extension"), f"{address}#part-{place}", icon="clock")
        return None

    @staticmethod
    def news() -> Iterable[Link]:
        for one in db.session.scalars(sa.select(Document).order_by(Document.id.desc()).limit(NEWS)):
            yield Link(f"{one.number} {one.name}", url_for("DocumentView.show", pk=one.id))


class LanguageView(BaseView):
    """Choosing the language; the page stays."""

    route_base = "/language"
    default_view = "choose"

    @expose("/", methods=["POST"])
    def choose(self) -> Any:
        locale = request.form.get("locale", "")
        if locale not in current_app.config["LANGUAGES"]:
            abort(400)
        session["locale"] = locale
        person = viewer.current_person()
        if person is not None:
            with viewer.system():
                kept = db.session.get(Person, person.person_id)
                assert kept is not None
                kept.locale = locale
                db.session.commit()
        return redirect(safe_target(request.form.get("next")))


class SearchView(BaseView):
    """The search box of the top bar: a call's number goes straight to it, anything else to the list."""

    route_base = "/search"
    default_view = "search"

    @expose("/")
    def search(self) -> Any:
        person = viewer.current_person()
        if person is None:
            return redirect(url_for("SignInView.login", next=request.full_path))
        words = request.args.get("q", "").strip()[:60].replace("\x00", "")
        if not person.may("can_list", "Call"):
            return redirect(url_for("OrganisationView.list", q=words))
        exact = db.session.scalars(sa.select(Call.id).where(Call.number == words).limit(1)).first() if words else None
        return redirect(
            url_for("CallView.show", pk=exact)
            if exact is not None
            else url_for("CallView.list", tab="all", q=words or None)
        )
