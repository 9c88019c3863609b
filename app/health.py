"""What machines ask of the installation: `/health`, `/health/ready` for balancers, `/metrics` for Prometheus (spec 4)."""

from __future__ import annotations

import hmac
import shutil
import tempfile
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
import structlog
from flask import Flask, Response, current_app, jsonify, request
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from redis import RedisError
from sqlalchemy.orm import Session

from app.database import db
from app.jobs import queue
from models import clock, viewer
from models.calendar import CalendarYear
from models.call import Assignment, Call
from models.call_words import AssignmentState, CallState
from models.delivery import Delivery, DeliveryState
from models.document import Document
from models.event import Event
from models.notification import Beat, Demonstration, Job
from models.worktime import WorkCalendar

BEAT_AGE = timedelta(seconds=45)
"""A part that was silent for longer is not running; parts beat every 10 to 20 seconds."""

FREE_BYTES = 200 * 1024 * 1024
"""Less room than this in the data folder is too little."""

GIVEN_UP_WITHIN = timedelta(days=7)
"""How long a message that was given up is told of."""

OK = "ok"

log = structlog.get_logger(__name__)


def install(app: Flask) -> None:
    """Register the addresses, under the names that `app.requests` leaves open."""
    app.add_url_rule("/health", "Health.health", health)
    app.add_url_rule("/health/ready", "Health.ready", ready)
    app.add_url_rule("/metrics", "Health.metrics", metrics)


def health() -> tuple[Response, int]:
    """Each part by name, `ok` or what is wrong with it; 503 unless all are well."""
    parts = {"database": _database(), "redis": _redis(), "disk": _disk()}
    warnings: list[str] = []
    if parts["database"] == OK:
        parts["worker"] = _told(lambda session: _alive(session, "worker"))
        parts["scheduler"] = _told(lambda session: _alive(session, "scheduler"))
        loading = _told(_demonstration)
        if loading != OK:
            parts["demonstration"] = loading
        warnings = _asked(_warnings, [])
    else:
        parts["worker"] = parts["scheduler"] = "unknown while the database does not answer"
    return _answer(parts, warnings)


def ready() -> tuple[Response, int]:
    """Whether this machine can answer people: database and disk."""
    return _answer({"database": _database(), "disk": _disk()}, [])


def metrics() -> Response:
    """Figures for Prometheus, counted when asked, so that any web process gives the same."""
    sent = request.headers.get("Authorization", "").encode()
    if not hmac.compare_digest(sent, f"Bearer {current_app.config['METRICS_TOKEN']}".encode()):
        return Response("A token is needed.\n", 401, {"WWW-Authenticate": "Bearer"}, mimetype="text/plain")
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Figures())
    return Response(generate_latest(registry), mimetype="text/plain; version=0.0.4")


def _answer(parts: dict[str, str], warnings: list[str]) -> tuple[Response, int]:
    well = all(told == OK for told in parts.values())
    page = {
        "status": OK if well else "failing",
        "parts": parts,
        "warnings": warnings,
        "version": current_app.config["VERSION"],
    }
    return jsonify(page), 200 if well else 503


def _asked(question: Callable[[Session], Any], otherwise: Any) -> Any:
    """An answer from the database, or what stands for none. What exactly failed is for the log, not for the public."""
    try:
        with viewer.system(), db.session.session_factory() as session:
            return question(session)
    except sa.exc.SQLAlchemyError as failure:
        log.warning("the database does not answer a health check", problem=str(failure.__cause__ or failure))
        return otherwise


def _told(question: Callable[[Session], str]) -> str:
    return str(_asked(question, "the database does not answer"))


def _database() -> str:
    return _told(
        lambda session: OK if session.execute(sa.select(1)).scalar_one() == 1 else "the database gives wrong answers"
    )


def _redis() -> str:
    connection = queue.connect(current_app.config["REDIS_URL"])
    try:
        connection.ping()
    except RedisError as failure:
        log.warning("Redis does not answer a health check", problem=str(failure))
        return "the queue server does not answer; jobs wait in the database"
    finally:
        connection.close()
    return OK


def _disk() -> str:
    """Room in the data folder, and whether it can be written."""
    folder = current_app.config["DATA_DIR"]
    try:
        with tempfile.TemporaryFile(dir=folder) as probe:
            probe.write(bytes(4096))
        free = shutil.disk_usage(folder).free
    except OSError as failure:
        return f"the data folder cannot be written: {failure.strerror}"
    return OK if free >= FREE_BYTES else f"only {free // 1024**2} MiB are free in the data folder"


def _alive(session: Session, part: str) -> str:
    at = session.scalars(sa.select(Beat.at).where(Beat.part == part)).one_or_none()
    if at is None:
        return "never seen"
    age = clock.machine_now() - at
    return OK if age <= BEAT_AGE else f"no sign of life for {int(age.total_seconds())} seconds"


def _demonstration(session: Session) -> str:
    complete = session.scalars(sa.select(Demonstration.complete).limit(1)).one_or_none()
    return "is being loaded" if complete is False else OK


def _warnings(session: Session) -> list[str]:
    """What does not stop the work but should be looked after."""
    present = WorkCalendar().local_date(clock.now()).year
    years = session.scalars(
        sa.select(CalendarYear.year)
        .where(~CalendarYear.confirmed, CalendarYear.year >= present)
        .distinct()
        .order_by(CalendarYear.year)
    ).all()
    found = [f"the working calendar of {year} is provisional" for year in years]
    sending = Job.name.in_(("deliver", "send_digest"))
    failing = _count(session, Job, Job.done_at.is_(None), Job.error != "", ~sending)
    if failing:
        found.append(f"{failing} jobs have failed and are tried again")
    return [*found, *_unsent(session)]


def _unsent(session: Session) -> Iterator[str]:
    """Messages that could not be sent out of the portal, by channel."""
    counted = sa.func.count()
    by_channel = sa.select(Delivery.channel, counted).group_by(Delivery.channel).order_by(Delivery.channel)
    waiting = by_channel.where(Delivery.state == DeliveryState.waiting.value, Delivery.trouble != "")
    for channel, number in session.execute(waiting):
        yield f"{number} messages by {channel} could not be sent and are tried again"
    lately = Delivery.settled_at > clock.now() - GIVEN_UP_WITHIN
    for channel, number in session.execute(by_channel.where(Delivery.state == DeliveryState.failed.value, lately)):
        yield f"{number} messages by {channel} were given up within the last week"


class _Figures:
    """The gauges, read in one go."""

    def collect(self) -> Iterator[Metric]:
        """Called by the client library at each scrape."""
        with viewer.system(), db.session.session_factory() as session:
            found = list(_figures(session, clock.now(), clock.machine_now()))
        yield from found


def _figures(session: Session, now: datetime, machine_now: datetime) -> Iterator[Metric]:
    calls = GaugeMetricFamily("huying_calls", "Calls by state.", labels=["state"])
    counted = {
        row.state: row.number
        for row in session.execute(sa.select(Call.state, sa.func.count().label("number")).group_by(Call.state))
    }
    for state in CallState:
        calls.add_metric([state.value], counted.get(state, 0))
    yield calls

    open_states = (AssignmentState.pending, AssignmentState.responded)
    running = Assignment.stopped_at.is_(None)
    at_work = Assignment.state.in_(open_states)
    yield _gauge(
        session, "huying_assignments_open", "Assignments that departments still work on.", Assignment, running, at_work
    )
    overdue = GaugeMetricFamily(
        "huying_assignments_overdue", "Assignments whose deadline has passed, by clock.", labels=["clock"]
    )
    late_response = (Assignment.state == AssignmentState.pending, Assignment.respond_due < now)
    late_report = (at_work, Assignment.report_due < now)
    overdue.add_metric(["respond"], _count(session, Assignment, running, *late_response))
    overdue.add_metric(["report"], _count(session, Assignment, running, *late_report))
    yield overdue

    yield _gauge(session, "huying_jobs_waiting", "Jobs wanted and not done.", Job, Job.done_at.is_(None))
    yield _gauge(
        session,
        "huying_jobs_failing",
        "Jobs not done whose last attempt failed.",
        Job,
        Job.done_at.is_(None),
        Job.error != "",
    )
    yield _gauge(
        session,
        "huying_documents_unproduced",
        "Issued documents without their bytes.",
        Document,
        Document.sha256.is_(None),
    )
    yield _gauge(session, "huying_outbox_events", "Events not yet relayed.", Event, Event.relayed_at.is_(None))
    oldest = session.scalar(sa.select(sa.func.min(Event.at)).where(Event.relayed_at.is_(None)))
    lag = max((now - oldest).total_seconds(), 0.0) if oldest is not None else 0.0
    yield GaugeMetricFamily("huying_outbox_lag_seconds", "Age of the oldest event not yet relayed.", value=lag)

    beats = GaugeMetricFamily("huying_part_silence_seconds", "Time since a part last showed life.", labels=["part"])
    for row in session.execute(sa.select(Beat.part, Beat.at).order_by(Beat.part)):
        beats.add_metric([row.part], (machine_now - row.at).total_seconds())
    yield beats


def _count(session: Session, model: type[Any], *where: sa.ColumnElement[bool]) -> int:
    return session.scalar(sa.select(sa.func.count()).select_from(model).where(*where)) or 0


def _gauge(session: Session, name: str, meaning: str, model: type[Any], *where: sa.ColumnElement[bool]) -> Metric:
    return GaugeMetricFamily(name, meaning, value=_count(session, model, *where))
