"""Messages sent out of the portal, for administrators: which ways there are, what waits, what could not be sent and why."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import sqlalchemy as sa
from flask import current_app
from flask_appbuilder import expose
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from app.channels import ways
from app.database import db
from app.portal.administration import AdministrationPage
from app.portal.deadline import exact
from app.portal.frame import Entry
from app.portal.page import Cell, Column, Pill
from app.portal.sheet import Block, Sheet, SheetRow
from models import clock, viewer
from models.delivery import Channel, Delivery, DeliveryState, Trouble
from models.person import Person
from models.viewer import Viewer

SHOWN_DAYS = timedelta(days=7)
MOST = 50


class DeliveryView(AdministrationPage):
    """Nothing of what the messages are about: channel, person, time, and what went wrong."""

    route_base = "/delivery"
    default_view = "list"
    resource = "Delivery"
    permissions = {"can_list": frozenset({"system_administrator"})}

    def navigation(self) -> tuple[Entry, ...]:
        return (Entry(_l("Messages sent out"), "DeliveryView.list", "Delivery"),)

    @expose("/")
    def list(self) -> Any:
        """The last seven days."""
        person = self.demand("can_list")
        with viewer.system():
            blocks = (self._channels(person), self._failures(person))
        intro = _(
            "What leaves the portal is a copy of the inbox, by each person's choice. Addresses of the ways stand in the settings of the installation."
        )
        return self.sheet(Sheet(_("Messages sent out"), blocks, intro=intro))

    @staticmethod
    def _of(person: Viewer) -> sa.Select[Any]:
        query = (
            sa.select(Delivery)
            .join(Person, Person.id == Delivery.person_id)
            .where(Delivery.made_at > clock.now() - SHOWN_DAYS)
        )
        return query if person.whole_installation else query.where(Person.county_id == person.county_id)

    def _channels(self, person: Viewer) -> Block:
        counted = self._of(person).with_only_columns(Delivery.channel, Delivery.state, sa.func.count())
        numbers = {
            (channel, state): number
            for channel, state, number in db.session.execute(counted.group_by(Delivery.channel, Delivery.state))
        }
        open_ways = ways(current_app.config)
        rows = tuple(
            SheetRow(
                (
                    Cell(str(one.label)),
                    Cell(pill=Pill(_("Set up"), "done") if one in open_ways else Pill(_("Not set up"), "muted")),
                    *(Cell(str(numbers.get((one.value, state.value), 0)), number=True) for state in DeliveryState),
                )
            )
            for one in Channel
        )
        columns = (
            Column("channel", _("Way")),
            Column("state", _("Installation")),
            *(Column(state.value, str(state.label), number=True) for state in DeliveryState),
        )
        return Block(_("The last seven days"), columns=columns, rows=rows)

    def _failures(self, person: Viewer) -> Block:
        failing = (
            self._of(person)
            .with_only_columns(Person.name, Delivery)
            .where(
                Delivery.trouble != "", Delivery.state.in_((DeliveryState.waiting.value, DeliveryState.failed.value))
            )
            .order_by(Delivery.id.desc())
            .limit(MOST)
        )
        rows = tuple(
            SheetRow(
                (
                    Cell(exact(one.due_at)),
                    Cell(name),
                    Cell(str(Channel(one.channel).label)),
                    Cell(pill=_pill(one)),
                    Cell(str(one.attempts), number=True),
                    Cell(str(Trouble(one.trouble).label)),
                    Cell(one.error),
                )
            )
            for name, one in db.session.execute(failing)
        )
        columns = (
            Column("due", _("Due")),
            Column("person", _("Person")),
            Column("channel", _("Way")),
            Column("state", _("State")),
            Column("attempts", _("Attempts"), number=True),
            Column("trouble", _("What went wrong")),
            Column("error", _("Technical detail")),
        )
        return Block(_("What could not be sent"), columns=columns, rows=rows, empty=_("Nothing has gone wrong."))


def _pill(one: Delivery) -> Pill:
    if one.state == DeliveryState.failed.value:
        return Pill(str(DeliveryState.failed.label), "overdue")
    return Pill(_("Is tried again"), "waiting")
