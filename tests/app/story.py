"""A call with words that stand nowhere else, and everything that came of it: canaries for whoever must not find it."""

from __future__ import annotations

from dataclasses import dataclass, field

import redis
import sqlalchemy as sa

from app.database import transaction
from app.jobs.relay import Relay
from app.jobs.tasks import produce_document
from models import clock, viewer
from models.call import Assignment, Call
from models.call_report import Evaluation, Report
from models.document import Document
from models.supervision import Notice
from models.sweep import sweep
from tests.county import County, at

PHONE = "13900005678"
CANARIES = {
    "title": "金丝雀村口塌方", "description": "金丝雀描述文字", "place": "金丝雀路三号",
    "contact_name": "金丝雀联系人", "contact_phone": PHONE,
    "external_number": "CANARY-77", "remark": "金丝雀批示", "plan": "金丝雀方案", "progress": "金丝雀进展", "result": "金丝雀结果",
    "comment": "金丝雀评语", "signed_by": "金丝雀书记",
}  # fmt: skip
"""Words of the call that stand nowhere else."""


@dataclass
class Story:
    """A call of township1 that department1 leads and department2 is late with; everything that came of it."""

    county: County
    call: int
    number: str = ""
    rows: dict[str, list[int]] = field(default_factory=dict)
    """Keys of all records that belong to it, by resource."""

    def words(self) -> list[str]:
        return [*CANARIES.values(), self.number]


def tell(county: County) -> Story:
    typed = ("title", "description", "place", "contact_name", "contact_phone", "external_number")
    fields = {name: CANARIES[name] for name in typed}
    call = county.draft(**fields)
    county.do("township1", Call, call, "submit", {})
    order = {"lead": county["department1"], "cooperating": [county["department2"]], "remark": CANARIES["remark"]}
    county.do("dispatcher", Call, call, "dispatch", order)
    first, second = county.assignments(call)
    county.respond("department1", first, plan=CANARIES["plan"])
    county.do("department1", Assignment, first, "log_progress", {"text": CANARIES["progress"]})
    later = at("2026-11-25 16:00")
    with county.app.app_context(), clock.at(later):
        sweep(transaction)
    county.respond("department2", second, later)
    county.report("department2", second, later, result="另一结果")
    county.report("department1", first, later, result=CANARIES["result"], without_reason="无")
    entries = [
        {"assignment": first, "satisfaction": "dissatisfied", "solved": "not_solved", "comment": CANARIES["comment"]},
        {"assignment": second, "satisfaction": "satisfied", "solved": "solved", "comment": "乙方评语"},
    ]
    county.do("township1", Call, call, "evaluate", {"evaluations": entries, "signed_by": CANARIES["signed_by"]}, later)
    told = Story(county, call)
    with county.acting(None) as session:
        told.number = str(session.get_one(Call, call).number)
        for model in (Call, Assignment, Report, Evaluation, Notice, Document):
            told.rows[model.resource()] = list(session.scalars(sa.select(model.id).order_by(model.id)))
    with county.app.app_context(), viewer.system():
        for document in told.rows["document"]:
            produce_document(document)
        Relay(redis.Redis.from_url("unix:///nowhere")).run()
    assert all(told.rows.values())
    return told
