"""Lists and records by REST: what is read, in which form, by whom (spec 4, REST)."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from sqlalchemy import select

from models.call import Call
from models.call_words import CallKind
from models.document import Document, DocumentRecipient
from models.event import Event
from models.organisation import Organisation
from models.supervision import Notice, NoticeEntry, NoticeKind, NoticeState
from tests.app.portal.api_client import Api, statements
from tests.app.portal.test_lists import titles
from tests.app.visitor import visitor
from tests.county import MONDAY, County


def test_a_list_is_newest_first_and_its_rows_contain_the_id(county: County) -> None:
    first, second, third = (county.draft(title=title) for title in ("甲", "乙", "丙"))
    answer = Api(county, "township1").get("/call/").json
    assert answer["ids"] == [third, second, first]
    assert [row["id"] for row in answer["result"]] == answer["ids"]
    assert answer["count"] == 3


def test_a_list_without_a_slash_is_the_same_list(county: County) -> None:
    county.draft()
    api = Api(county, "township1")
    assert api.get("/call").json == api.get("/call/").json


def test_a_page_has_25_rows_unless_asked_otherwise_and_500_at_most(county: County) -> None:
    with county.acting("township1", MONDAY) as session:
        for number in range(510):
            call = Call(title=f"第{number}件", county_id=county.id)
            call.prepare(session, county.viewer("township1"))
            session.add(call)
    api = Api(county, "township1")
    assert len(api.rows("call")) == 25
    assert len(api.rows("call", {"page_size": 500})) == 500
    assert len(api.rows("call", {"page_size": 100000})) == 500
    first, second = api.ids("call", {"page_size": 300}), api.ids("call", {"page_size": 300, "page": 1})
    assert len(first) == 300
    assert len(second) == 210
    assert not set(first) & set(second)
    assert api.get("/call/", {"page": 9}).json["count"] == 510


def test_a_count_stops_at_1001(county: County) -> None:
    with county.acting("township1", MONDAY) as session:
        for number in range(1005):
            call = Call(title=f"第{number}件", county_id=county.id)
            call.prepare(session, county.viewer("township1"))
            session.add(call)
    assert Api(county, "township1").get("/call/", {"page_size": 1}).json["count"] == 1001


def test_references_read_as_id_and_name_choices_by_identifier_instants_with_zone(county: County) -> None:
    call_id = county.submitted(
        checklist_item_id=county.items[2],
        kind=CallKind.general,
        happened_at=datetime(2026, 11, 20, 1, 2, 3, tzinfo=UTC),
    )
    call = Api(county, "dispatcher").one("call", call_id)
    assert call["township"] == {"id": county["township1"], "name": "城关镇"}
    assert call["county"] == {"id": county.id, "name": "平原县"}
    assert call["checklist_item"] == {"id": county.items[2], "name": "河道污水排放"}
    assert call["submitted_by"]["id"] == county.people["township1"]
    assert call["kind"] == "general"
    assert call["state"] == "submitted"
    assert call["happened_at"] == "2026-11-20T01:02:03Z"
    assert call["accepted_at"] is None
    assert call["accepted_by"] is None
    assert call["version"] == 2
    assert call["assignments"] == []


def test_a_call_names_its_assignments_and_an_assignment_reads_what_spec_4_lists(county: County) -> None:
    call_id, lead, other = county.dispatched("department1", "department2")
    api = Api(county, "department1")
    assert api.one("call", call_id)["assignments"] == [lead, other]
    county.respond("department1", lead)
    read = api.one("assignment", lead)
    assert read["call"]["id"] == call_id
    assert read["department"] == {"id": county["department1"], "name": "自然资源局"}
    assert (read["role"], read["state"], read["round"]) == ("lead", "responded", 1)
    assert read["respond_due"].endswith("Z")
    assert read["report_due"].endswith("Z")
    assert read["responded_at"] == "2026-11-23T01:00:00Z"
    assert read["marks"] == []
    assert isinstance(read["version"], int)
    assert api.ids("assignment", {"filters": [{"col": "call", "opr": "rel_o_m", "value": call_id}]}) == [other, lead]


def test_marks_read_by_identifier(county: County) -> None:
    _call_id, assignment = county.dispatched("department1", when=datetime(2026, 9, 1, 1, 0, tzinfo=UTC))
    assert Api(county, "dispatcher").one("assignment", assignment)["marks"] == ["no_response"]
    assert Api(county, "department1").rows("assignment")[0]["marks"] == ["no_response"]


def test_a_notice_reads_kind_number_state_department_assignments_and_document(county: County) -> None:
    _call_id, assignment = county.dispatched("department1")
    with county.acting(None, MONDAY) as session:
        document = session.scalars(select(Document)).first()
        assert document is not None
        notice = Notice(
            county_id=county.id,
            kind=NoticeKind.reminder,
            number="催〔2026〕0001号",
            department_id=county["department1"],
            state=NoticeState.issued,
            issued_at=MONDAY,
        )
        notice.document = document
        notice.entries += [
            NoticeEntry(assignment_id=assignment, clock=clock, round=1, due=MONDAY) for clock in ("respond", "report")
        ]
        session.add(notice)
        session.flush()
        notice_id, document_id = notice.id, document.id
    read = Api(county, "department1").one("notice", notice_id)
    assert (read["kind"], read["number"], read["state"]) == ("reminder", "催〔2026〕0001号", "issued")
    assert read["department"]["id"] == county["department1"]
    assert read["assignments"] == [assignment]
    assert read["document"]["id"] == document_id
    assert read["issued_at"] == "2026-11-23T01:00:00Z"
    assert Api(county, "department2").get(f"/notice/{notice_id}").status_code == 404


def test_a_reference_whose_target_the_reader_may_not_see_reads_null(county: County) -> None:
    with county.acting(None, MONDAY) as session:
        call_id = county.draft()
        call = session.get_one(Call, call_id)
        notice = Notice(
            county_id=county.id, kind=NoticeKind.reminder, department_id=county["department1"], state=NoticeState.issued
        )
        document = Document(
            county_id=county.id,
            kind="secret",
            number="1",
            name="别人的文书",
            issuer_id=county["office9"],
            about_type="call",
            about_id=call.id,
            context={},
        )
        notice.document = document
        session.add(notice)
        session.flush()
        notice_id, document_id = notice.id, document.id
    api = Api(county, "department1")
    assert api.one("notice", notice_id)["document"] is None
    assert api.rows("notice")[0]["document"] is None
    assert api.rows("notice", {"filters": [{"col": "document", "opr": "rel_o_m", "value": document_id}]}) == []


def test_what_a_person_may_not_see_is_404_and_in_no_list(county: County) -> None:
    call_id, assignment = county.dispatched("department1")
    for name in ("township2", "department2", "township9", "dispatcher9"):
        api = Api(county, name)
        assert api.get(f"/call/{call_id}").status_code == 404
        assert api.get(f"/assignment/{assignment}").status_code == 404
        assert api.get(f"/call/{call_id}/transitions").status_code == 404
        assert api.rows("call") == []
        assert api.get("/call/").json["count"] == 0
        assert api.rows("assignment") == []


def test_viewers_in_either_order_see_their_own(county: County) -> None:
    mine, other = county.draft("township1"), county.draft("township2")
    assert Api(county, "township1").ids("call") == [mine]
    assert Api(county, "township2").ids("call") == [other]
    assert Api(county, "township1").ids("call") == [mine]


def test_a_role_without_the_permission_is_refused(county: County) -> None:
    answer = Api(county, "legal").get("/call/")
    assert answer.status_code == 403
    assert answer.json["message"]


def test_the_columns_asked_for_are_the_columns_given(county: County) -> None:
    county.draft(title="污水")
    answer = Api(county, "township1").get("/call/", {"columns": ["title", "township"], "keys": ["list_columns"]}).json
    assert set(answer["result"][0]) == {"id", "title", "township"}
    assert answer["list_columns"] == ["id", "title", "township"]
    assert "label_columns" not in answer


def test_a_list_tells_its_labels_unless_keys_say_none(county: County) -> None:
    api = Api(county, "township1")
    assert api.get("/call/").json["label_columns"]["title"]
    assert set(api.get("/call/", {"keys": ["none"]}).json) == {"count", "ids", "result"}


@pytest.mark.parametrize(
    ("col", "opr", "value", "expected"),
    [
        ("title", "eq", "河道污水", [1]),
        ("title", "neq", "河道污水", [2, 3]),
        ("title", "ct", "污", [1]),
        ("title", "sw", "河道", [1]),
        ("title", "ew", "路灯", [2]),
        ("title", "nct", "污", [2, 3]),
        ("title", "in", ["河道污水", "村口路灯"], [1, 2]),
        ("title", "ct", "%", [3]),
        ("title", "ct", "_", []),
        ("source", "eq", "12345", [2]),
        ("source", "eq", 12345, [2]),
        ("source", "in", ["12345", "grid"], [2]),
        ("state", "eq", "draft", [1, 2, 3]),
        ("state", "neq", "draft", []),
        ("kind", "eq", "emergency", [3]),
        ("complex", "eq", False, [1, 2, 3]),
        ("field", "eq", "水务", [1, 2, 3]),
        ("happened_at", "gt", "2026-11-01T00:00:00+08:00", [2]),
        ("happened_at", "lt", "2026-11-01T00:00:00+08:00", [1]),
        ("happened_at", "eq", None, [3]),
        ("happened_at", "neq", None, [1, 2]),
        ("version", "eq", 1, [1, 2, 3]),
        ("version", "gt", 1, []),
    ],
)
def test_filters_by_field_and_operator(county: County, col: str, opr: str, value: object, expected: list[int]) -> None:
    common = {"field": "水务"}
    keys = {
        county.draft(title="河道污水", happened_at=datetime(2026, 10, 1, tzinfo=UTC), **common): 1,
        county.draft(title="村口路灯", source="12345", happened_at=datetime(2026, 11, 20, tzinfo=UTC), **common): 2,
        county.draft(title="补贴只到60%", kind=CallKind.emergency, **common): 3,
    }
    found = Api(county, "township1").ids("call", {"filters": [{"col": col, "opr": opr, "value": value}]})
    assert sorted(keys[key] for key in found) == expected


def test_filters_by_id_and_by_reference_and_all_of_several(county: County) -> None:
    own, with_item = county.draft(title="甲"), county.draft(title="乙", checklist_item_id=county.items[1])
    api = Api(county, "township1")
    item = {"col": "checklist_item", "opr": "rel_o_m", "value": county.items[1]}
    assert api.ids("call", {"filters": [{"col": "id", "opr": "eq", "value": own}]}) == [own]
    assert api.ids("call", {"filters": [item]}) == [with_item]
    assert api.ids("call", {"filters": [item, {"col": "title", "opr": "eq", "value": "甲"}]}) == []
    assert api.ids("call", {"filters": [{"col": "county", "opr": "rel_o_m", "value": county.id}]}) == [with_item, own]


def test_order_by_every_field_is_never_an_error(county: County) -> None:
    county.dispatched("department1", "department2")
    api = Api(county, "dispatcher")
    for resource in ("call", "assignment", "organisation", "checklist", "checklist_item", "document", "notice"):
        names = api.get(f"/{resource}/").json["order_columns"]
        assert "id" in names
        for name in names:
            for direction in ("asc", "desc"):
                answer = api.get(f"/{resource}/", {"order_column": name, "order_direction": direction})
                assert answer.status_code == 200, (resource, name, answer.text)


def test_order_goes_both_ways(county: County) -> None:
    late, early = county.draft(title="b"), county.draft(title="a")
    api = Api(county, "township1")
    assert api.ids("call", {"order_column": "title", "order_direction": "asc"}) == [early, late]
    assert api.ids("call", {"order_column": "title", "order_direction": "desc"}) == [late, early]
    assert api.ids("call", {"order_column": "id", "order_direction": "asc"}) == [late, early]


def test_an_order_by_a_reference_or_a_state_is_that_of_the_list_on_the_page(county: County) -> None:
    """Townships stand in their administrative order (2.3), states in that of the work, on the page and for programs."""
    with county.acting(None) as session:
        for name, place in (("township1", 2), ("township2", 1)):
            session.get_one(Organisation, county[name]).order = place
    county.submitted("township1", title="甲")
    county.submitted("township2", title="乙")
    county.dispatched("department1")
    api, here = Api(county, "dispatcher"), visitor(county, "dispatcher")
    for name in ("township", "state", "changed_at", "number"):
        for direction, sign in (("asc", ""), ("desc", "-")):
            rows = api.rows("call", {"order_column": name, "order_direction": direction})
            listed = titles(here.get(f"/call/list/?tab=all&sort={sign}{name.removesuffix('_at')}"))
            assert [row["title"] for row in rows] == listed, (name, direction)
    rows = api.rows("call", {"order_column": "township", "order_direction": "asc"})
    assert next(row["township"]["id"] for row in rows) == county["township2"]


def test_a_query_may_be_json(county: County) -> None:
    key = county.draft(title="甲")
    county.draft(title="乙")
    assert Api(county, "township1").ids("call", '{"filters":[{"col":"title","opr":"eq","value":"甲"}]}') == [key]


def test_a_list_takes_8_statements_and_a_record_15_at_most_whatever_the_number_of_rows(county: County) -> None:
    for _ in range(3):
        county.dispatched("department1", "department2", "department3")
    for name, resource in [
        ("dispatcher", "call"),
        ("department1", "assignment"),
        ("township1", "call"),
        ("dispatcher", "organisation"),
        ("township1", "document"),
    ]:
        api = Api(county, name)
        key = api.ids(resource)[0]
        with statements(county) as few:
            api.rows(resource, {"page_size": 2})
        with statements(county) as many:
            api.rows(resource, {"page_size": 100})
        with statements(county) as show:
            api.one(resource, key)
        assert len(few) <= 8, (resource, few)
        assert len(many) <= 8, (resource, many)
        assert len(show) <= 15, (resource, show)


def test_the_auditor_reads_the_events_of_the_county_with_their_values_and_nobody_else_does(county: County) -> None:
    call_id, _assignment = county.dispatched("department1")
    auditor = Api(county, "auditor")
    rows = auditor.rows(
        "event",
        {
            "filters": [
                {"col": "record_type", "opr": "eq", "value": "call"},
                {"col": "record_id", "opr": "eq", "value": call_id},
            ]
        },
    )
    assert [row["name"] for row in rows] == ["dispatch", "accept", "submit", "create"]
    assert rows[0]["values"]["state"] == {"old": "accepted", "new": "dispatched"}
    assert rows[0]["actor"]["id"] == county.people["dispatcher"]
    assert rows[0]["actor_organisation"]["id"] == county["office"]
    assert rows[0]["at"] == "2026-11-23T01:00:00Z"
    assert auditor.one("event", rows[0]["id"]) == rows[0]
    for name in ("dispatcher", "township1", "sysadmin", "secadmin"):
        assert Api(county, name).get("/event/").status_code == 403
        assert Api(county, name).get(f"/event/{rows[0]['id']}").status_code == 404
    with county.acting(None, MONDAY) as session:
        foreign = session.scalars(select(Event.id).where(Event.county_id == county["county9"])).first()
    county.draft("township9")
    assert foreign is None or auditor.get(f"/event/{foreign}").status_code == 404
    assert {row["county"]["id"] for row in auditor.rows("event", {"page_size": 500})} == {county.id}


def test_me_tells_who_the_token_stands_for(county: County) -> None:
    assert Api(county, "township1").get("/me").json == {
        "username": "township1",
        "name": county.viewer("township1").name,
        "roles": ["township_officer"],
        "organisation": {"id": county["township1"], "name": "城关镇", "kind": "township"},
        "county": {"id": county.id, "name": "平原县"},
    }
    city = Api(county, "city").get("/me").json
    assert city["county"] is None
    assert city["organisation"]["kind"] == "city"


# Papers


def _produced(county: County, content: bytes = b"%PDF-1.7 paper") -> int:
    from app.storage import content_hash, document_key, storage

    county.dispatched("department1")
    with county.acting(None, MONDAY) as session:
        document = session.scalars(select(Document).order_by(Document.id.desc())).first()
        assert document is not None
        document.sha256 = content_hash(content)
        document.file_key = document_key(document.sha256)
        storage().put(document.file_key, content)
        return document.id


def test_a_paper_comes_as_an_attachment_with_its_speaking_name(county: County) -> None:
    document_id = _produced(county)
    answer = Api(county, "department1").get(f"/document/{document_id}/pdf")
    assert answer.status_code == 200
    assert answer.data == b"%PDF-1.7 paper"
    assert answer.mimetype == "application/pdf"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Content-Disposition"].startswith("attachment")
    assert "filename*=UTF-8''" in answer.headers["Content-Disposition"]


def test_a_paper_that_is_not_produced_yet_is_asked_for_again_in_5_seconds(county: County) -> None:
    county.dispatched("department1")
    api = Api(county, "department1")
    answer = api.get(f"/document/{api.ids('document')[0]}/pdf")
    assert answer.status_code == 503
    assert answer.headers["Retry-After"] == "5"


def test_a_paper_whose_bytes_were_altered_is_not_given_out(county: County) -> None:
    from app.storage import storage

    document_id = _produced(county)
    with county.acting(None) as session:
        key = session.get_one(Document, document_id).file_key
        assert key is not None
        storage().put(key, b"%PDF-1.7 forged")
    county.app.config["PROPAGATE_EXCEPTIONS"] = False
    try:
        answer = Api(county, "department1").get(f"/document/{document_id}/pdf")
    finally:
        county.app.config["PROPAGATE_EXCEPTIONS"] = None
    assert answer.status_code == 500
    assert b"forged" not in answer.data


def test_the_first_reading_by_a_recipient_is_kept_and_later_ones_change_nothing(county: County) -> None:
    document_id = _produced(county)

    def read() -> tuple[object, object]:
        with county.acting(None) as session:
            row = session.get_one(DocumentRecipient, (document_id, county["department1"]))
            return row.read_at, row.read_by_id

    assert read() == (None, None)
    Api(county, "township1").get(f"/document/{document_id}/pdf")
    assert read() == (None, None)
    Api(county, "department1").get(f"/document/{document_id}/pdf")
    first = read()
    assert first[1] == county.people["department1"]
    Api(county, "department1_leader").get(f"/document/{document_id}/pdf")
    assert read() == first


def test_somebody_elses_paper_is_not_found(county: County) -> None:
    document_id = _produced(county)
    for name in ("department2", "township9", "auditor"):
        assert Api(county, name).get(f"/document/{document_id}/pdf").status_code == 404
