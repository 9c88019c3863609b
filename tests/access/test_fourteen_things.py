"""What one declaration gives, tried on every record type (design, decision 1). The table of it is docs/record-types.md."""

from __future__ import annotations

import html
import io
from collections.abc import Callable, Iterator
from pathlib import Path

import openpyxl
import pytest
import sqlalchemy as sa
from flask_babel import force_locale

from app.portal.record_view import RecordView
from models import viewer
from models.base import RECORD_TYPES, fields_of
from models.event import Event
from models.viewer import Viewer
from tests.access.conftest import EVERYBODY, Rows
from tests.access.things import THINGS, VIEWS, referring, searched, steps_of, table
from tests.app.portal.api_client import Api
from tests.app.visitor import Visitor, visitor
from tests.conftest import Installation
from tests.county import County

PAGE = Path(__file__).parents[2] / "docs" / "record-types.md"
READERS = (
    EVERYBODY,
    "township1_leader",
    "department1_leader",
    "department1",
    "agency1",
    "supervisor",
    "leader",
    "personnel",
    "sysadmin",
    "auditor",
    "checklist",
)
"""Some see what the others do not; a type is tried by the first who sees its row."""


@pytest.fixture(scope="module")
def county(rows: Rows, sqlite_installation: Installation) -> Iterator[County]:
    """Read only, but for files attached."""
    sqlite_installation.fresh("samples")
    assert sqlite_installation.county is not None
    yield sqlite_installation.county
    sqlite_installation.fresh("samples")


@pytest.fixture(scope="module")
def visitors(county: County) -> dict[str, Visitor]:
    return {name: visitor(county, name) for name in READERS}


class Tried:
    """A record type's view with somebody who sees its row."""

    def __init__(self, county: County, visitors: dict[str, Visitor], rows: Rows, resource: str) -> None:
        self.county = county
        self.resource = resource
        self.view: RecordView = county.app.extensions["appbuilder"].record_views[resource]
        self.key = rows[0][resource]
        self.visitors = visitors

    def who(self, allowed: Callable[[Visitor], bool]) -> tuple[str, Visitor]:
        return next((name, here) for name, here in self.visitors.items() if allowed(here))

    def reader(self) -> tuple[str, Visitor]:
        return self.who(lambda here: here.get(f"/{self.resource}/show/{self.key}").status_code in (200, 302))


@pytest.fixture
def tried(request: pytest.FixtureRequest, county: County, visitors: dict[str, Visitor], rows: Rows) -> Tried:
    return Tried(county, visitors, rows, request.param)


def every_type(test: Callable[[Tried], None]) -> pytest.MarkDecorator:
    """Try a thing on every record type that has it; what the others lack, and why, is `test_what_a_type_lacks`."""
    thing = next(one for one in THINGS if one.name == test.__name__.removeprefix("test_"))
    having = sorted(name for name, view in VIEWS.items() if thing.has(view))
    marked: pytest.MarkDecorator = pytest.mark.parametrize("tried", having, indirect=True)(test)
    return marked


@every_type
def test_list(tried: Tried) -> None:
    _name, here = tried.reader()
    page = here.get(f"/{tried.resource}/list/?tab=all")
    assert page.status_code == 200
    with tried.county.app.test_request_context(), force_locale("zh_Hans"):
        assert str(tried.view.model.plural) in html.unescape(page.text)


@every_type
def test_search(tried: Tried) -> None:
    _name, here = tried.reader()
    fields = fields_of(tried.view.model)
    texts = [one for one in searched(tried.view) if fields[one].kind in ("text", "long_text")]
    if texts:
        page = here.get(f"/{tried.resource}/list/?q=无此字样&tab=all")
        assert page.status_code == 200
        assert f"/{tried.resource}/show/" not in page.text
    else:
        assert "filter-fields" in here.get(f"/{tried.resource}/list/?filter=1").text


@every_type
def test_form(tried: Tried) -> None:
    queries = ("", "?" + "&".join(f"{name}={key}" for name, key in _parents(tried)))
    pages = [here.get(f"/{tried.resource}/add{query}") for here in tried.visitors.values() for query in queries]
    assert any(page.status_code == 200 and "<form" in page.text for page in pages), {page.status_code for page in pages}


def _parents(tried: Tried) -> Iterator[tuple[str, int]]:
    for name, one in fields_of(tried.view.model).items():
        if one.kind == "reference" and one.target in RECORD_TYPES:
            with tried.county.acting(None) as session:
                value = getattr(session.get_one(tried.view.model, tried.key), f"{name}_id")
            if value is not None:
                yield name, value


@every_type
def test_page(tried: Tried) -> None:
    _name, here = tried.reader()
    page = here.get(f"/{tried.resource}/show/{tried.key}")
    if page.status_code == 302:  # it stands on the page of the record above it
        assert here.get(page.location).status_code == 200
    else:
        assert f"/{tried.resource}/list/" in page.text or not tried.view.group


@every_type
def test_related(tried: Tried) -> None:
    """Rows that name this one are found by it: their list takes it as a filter."""
    for other in referring(tried.view):
        for name, one in fields_of(other.model).items():
            if one.kind == "reference" and one.target == tried.resource:
                address = f"/{other.model.resource()}/list/?{name}={tried.key}"
                assert any(here.get(address).status_code == 200 for here in tried.visitors.values()), address


@every_type
def test_timeline(tried: Tried) -> None:
    with tried.county.acting(None) as session:
        found = sa.select(Event.id).where(Event.record_type == tried.resource, Event.record_id == tried.key)
        assert session.scalars(found).first() is not None or tried.resource in FOUNDED


FOUNDED = {"organisation", "person", "stationed_agency"}
"""Their sample is a row that the county was founded with."""


@every_type
def test_attachments(tried: Tried) -> None:
    """Whoever sees it and does not only read attaches files; beside reference data, whoever may change it now. The page offers what is possible."""
    name, here = tried.reader()
    path = f"/{tried.resource}/{tried.key}/attachments"
    page = here.get(f"/{tried.resource}/show/{tried.key}")
    answer = Api(tried.county, name).call(
        "POST", path, data={"file": (io.BytesIO("附件一".encode()), "金丝雀附件.txt")}
    )
    if page.status_code == 200:
        assert (f'action="{path}"' in page.text) == (answer.status_code == 201)
    if name in ("auditor", "city"):
        assert answer.status_code == 403
    elif tried.view.model.seen_by_all:
        assert answer.status_code in (201, 403, 409), answer.text
    else:
        assert answer.status_code == 201, answer.text
    if answer.status_code == 201:
        page = here.get(f"/{tried.resource}/show/{tried.key}")
        assert "金丝雀附件.txt" in page.text or page.status_code == 302


@every_type
def test_steps(tried: Tried) -> None:
    """What REST tells as possible now stands on the page as a button, and the other way round."""
    name, here = tried.reader()
    told = {one["name"] for one in Api(tried.county, name).get(f"/{tried.resource}/{tried.key}/transitions").json}
    page = here.get(f"/{tried.resource}/show/{tried.key}").text
    shown = {
        step.name for step in steps_of(tried.view) if f'action="/{tried.resource}/{tried.key}/{step.name}"' in page
    }
    assert shown <= told
    assert told - shown <= {step.name for step in steps_of(tried.view) if step.name not in shown}


@every_type
def test_bulk(tried: Tried) -> None:
    """A key that no row has is accounted for, and nothing happens."""
    step = next(one for one in steps_of(tried.view) if one.bulk)
    with tried.county.acting(None) as session:
        before = session.scalar(sa.select(sa.func.count(Event.id)))
    here = tried.visitors[EVERYBODY]
    answer = here.post(f"/{tried.resource}/bulk/{step.name}", {"keys": ["999999"]}, follow_redirects=True)
    assert answer.status_code == 200
    with tried.county.acting(None) as session:
        assert session.scalar(sa.select(sa.func.count(Event.id))) == before


@every_type
def test_rest(tried: Tried) -> None:
    name, _here = tried.reader()
    api = Api(tried.county, name)
    assert api.get(f"/{tried.resource}/{tried.key}").json["id"] == tried.key
    assert f"/api/v1/{tried.resource}/{{pk}}" in api.get("/_openapi").json["paths"]


@every_type
def test_menu(tried: Tried) -> None:
    homes = [here.get("/").text for here in tried.visitors.values()]
    entries = [entry.endpoint for entry in tried.view.navigation()]
    assert entries
    assert any(f"/{tried.resource}/list/" in home for home in homes) or tried.view.default_view != "list"


@every_type
def test_export(tried: Tried) -> None:
    _name, here = tried.who(lambda one: one.get(f"/{tried.resource}/export").status_code == 200)
    names = [column.name for column in _columns(tried)]
    answer = here.post(f"/{tried.resource}/export", {"format": "csv", "columns": names, "tab": "all"})
    assert answer.mimetype == "text/csv"
    assert answer.data.startswith("\ufeff".encode()), "Excel reads it as UTF-8"
    sheet = here.post(f"/{tried.resource}/export", {"format": "xlsx", "columns": names[:3], "tab": "all"})
    assert openpyxl.load_workbook(io.BytesIO(sheet.data), read_only=True).sheetnames


def _columns(tried: Tried) -> list[object]:
    with tried.county.app.test_request_context():
        return list(tried.view.export_columns())


@every_type
def test_import(tried: Tried) -> None:
    _name, here = tried.who(lambda one: one.get(f"/{tried.resource}/import/template").status_code == 200)
    book = openpyxl.load_workbook(io.BytesIO(here.get(f"/{tried.resource}/import/template").data))
    heads = [cell.value for cell in book.worksheets[0][1]]
    assert all(heads)
    for name in tried.view.model.natural_key:
        with tried.county.app.test_request_context(), force_locale("zh_Hans"):
            assert any(str(fields_of(tried.view.model)[name].label) in str(head) for head in heads), (name, heads)


@every_type
def test_labels(tried: Tried) -> None:
    model = tried.view.model
    words = [
        model.label,
        model.plural,
        *(one.label for one in fields_of(model).values()),
        *(step.label for step in steps_of(tried.view)),
    ]
    with tried.county.app.test_request_context():
        for one in words:
            with force_locale("zh_Hans"):
                chinese = str(one)
            assert any("\u4e00" <= sign <= "\u9fff" for sign in chinese), chinese


LACKED: dict[str, Callable[[RecordView, set[str], dict[str, Visitor]], bool]] = {
    "search": lambda view, rules, here: not searched(view),
    "form": lambda view, rules, here: all(
        one.get(f"/{view.model.resource()}/add").status_code != 200 for one in here.values()
    ),
    "related": lambda view, rules, here: not referring(view),
    "attachments": lambda view, rules, here: f"/{view.model.resource()}/<int:pk>/attachments" not in rules,
    "steps": lambda view, rules, here: f"/api/v1/{view.model.resource()}/<pk>/transitions" not in rules,
    "bulk": lambda view, rules, here: (
        here[EVERYBODY].post(f"/{view.model.resource()}/bulk/anything", {"keys": ["1"]}).status_code == 404
    ),
    "menu": lambda view, rules, here: (
        not view.navigation()
        or not any(f'href="/{view.model.resource()}/list/' in one.get("/").text for one in here.values())
    ),
    "import": lambda view, rules, here: f"/{view.model.resource()}/import" not in rules,
}
"""How it shows that a type lacks a thing."""


def test_what_a_type_lacks(county: County, visitors: dict[str, Visitor]) -> None:
    """Every dash of the table has a reason, and is one: the running program does not offer the thing after all. A type without
    pages is a line of another, and has no address."""
    rules = {str(rule) for rule in county.app.url_map.iter_rules()}
    registered = county.app.extensions["appbuilder"].record_views
    assert list(registered) == list(VIEWS)
    for resource, view in registered.items():
        for thing in THINGS:
            if not thing.has(view):
                assert thing.lacking, (resource, thing.name)
                assert LACKED[thing.name](view, rules, visitors), (resource, thing.name, thing.lacking)
    for resource in RECORD_TYPES.keys() - registered:
        assert not any(rule.startswith((f"/{resource}/", f"/api/v1/{resource}/")) for rule in rules), resource


def test_reference_data_is_what_everybody_sees(county: County, rows: Rows) -> None:
    """`seen_by_all` says what the scope says: a person of the county without any role sees the row."""
    stranger = Viewer(0, "", None, "", county.id, frozenset({county.id}), frozenset({county.id}), frozenset())
    with county.acting(None) as session:
        for resource, model in RECORD_TYPES.items():
            with viewer.viewing(stranger):
                seen = session.scalar(sa.select(model.id).where(model.id == rows[0][resource])) is not None
            assert model.seen_by_all == seen, resource


def test_the_table_is_true(county: County, request: pytest.FixtureRequest) -> None:
    found = table(county.app.extensions["appbuilder"].record_views.values())
    if request.config.getoption("rewrite_access"):
        PAGE.write_text(found, encoding="utf-8")
    assert found == PAGE.read_text(encoding="utf-8")
    assert {thing.name for thing in THINGS} == {
        name.removeprefix("test_") for name in globals() if name.startswith("test_")
    } - {"the_table_is_true", "what_a_type_lacks", "reference_data_is_what_everybody_sees"}
