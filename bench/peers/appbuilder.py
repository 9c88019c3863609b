"""Stock Flask-AppBuilder: a ModelView over the same table, with the same rows by a base filter. Prints the figures as JSON."""

from __future__ import annotations

import json
import sys
from datetime import datetime

import sqlalchemy as sa
from flask import Flask
from flask_appbuilder import AppBuilder, Model, ModelView
from flask_appbuilder.models.filters import BaseFilter
from flask_appbuilder.models.sqla.interface import SQLAInterface
from flask_sqlalchemy import SQLAlchemy
from sqlalchemy.orm import Mapped, mapped_column, relationship

from bench.measure import measured

PASSWORD = "Bench-only-1"


class Organisation(Model):
    __tablename__ = "organisation"
    id: Mapped[int] = mapped_column(sa.BigInteger, primary_key=True)
    short_name: Mapped[str]

    def __repr__(self) -> str:
        return self.short_name


class CallParty(Model):
    __tablename__ = "call_party"
    call_id: Mapped[int] = mapped_column(sa.BigInteger, primary_key=True)
    organisation_id: Mapped[int] = mapped_column(sa.BigInteger, primary_key=True)


class Call(Model):
    __tablename__ = "call"
    id: Mapped[int] = mapped_column(sa.BigInteger, primary_key=True)
    number: Mapped[str]
    title: Mapped[str]
    description: Mapped[str]
    field: Mapped[str]
    state: Mapped[str]
    submitted_at: Mapped[datetime]
    dispatched_at: Mapped[datetime]
    changed_at: Mapped[datetime]
    township_id: Mapped[int] = mapped_column(sa.BigInteger, sa.ForeignKey("organisation.id"))
    township: Mapped[Organisation] = relationship(lazy="joined")


class OwnCalls(BaseFilter):
    """The calls in which an organisation takes part."""

    name = "own"
    arg_name = None

    def apply(self, query: sa.orm.Query, organisation_id: int) -> sa.orm.Query:
        mine = sa.select(CallParty.call_id).where(CallParty.organisation_id == organisation_id)
        return query.filter(Call.id.in_(mine))


def main(url: str, organisation_id: int, deep_page: int, word: str) -> None:
    app = Flask(__name__)
    app.config.update(
        SECRET_KEY="bench", SQLALCHEMY_DATABASE_URI=url, WTF_CSRF_ENABLED=False, FAB_ROLES={}, RATELIMIT_ENABLED=False
    )
    db = SQLAlchemy(app)

    class CallView(ModelView):
        datamodel = SQLAInterface(Call)
        list_columns = ("number", "title", "township", "field", "state", "submitted_at", "dispatched_at", "changed_at")
        search_columns = ("number", "title", "description", "field", "state")
        base_filters = (("id", OwnCalls, organisation_id),)
        base_order = ("id", "desc")
        page_size = 25

    with app.app_context():
        builder = AppBuilder(app, db.session)
        builder.add_view(CallView, "Calls")
        if builder.sm.find_user("bench") is None:
            builder.sm.add_user("bench", "B", "B", "b@bench.example", builder.sm.find_role("Admin"), PASSWORD)
        engine = db.engine
    seen: list[str] = []
    sa.event.listen(engine, "before_cursor_execute", lambda *given: seen.append(given[2]))
    client = app.test_client()
    client.post("/login/", data={"username": "bench", "password": PASSWORD})

    def get(address: str) -> str:
        answer = client.get(address)
        assert answer.status_code == 200, (address, answer.status_code)
        return str(answer.text)

    pages = {
        "first": "/callview/list/",
        "filtered": "/callview/list/?_flt_3_state=dispatched",
        "deep": f"/callview/list/?page_CallView={deep_page}",
        "search": f"/callview/list/?_flt_2_title={word}",
    }
    print(
        json.dumps(
            {name: measured(lambda a=address: get(a), seen, "<td>呼").plain() for name, address in pages.items()}
        )
    )


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), sys.argv[4])
