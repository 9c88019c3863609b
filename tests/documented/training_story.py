"""The example in use: list, search, form, conflict, record page, timeline, and REST."""

from __future__ import annotations

from typing import Any

import pytest

from models.base import RECORD_TYPES
from tests.app.portal.api_client import Api
from tests.app.visitor import form_to, visitor, words_of
from tests.conftest import Installation
from tests.county import County


@pytest.fixture
def installation(sqlite_installation: Installation) -> Installation:
    sqlite_installation.fresh("county")
    return sqlite_installation


def given(county: County, **more: Any) -> dict[str, Any]:
    return {
        "subject": "河道巡查要点",
        "manner": "on_site",
        "held_on": "2026-12-01",
        "department": county["department1"],
        **more,
    }


def test_a_department_keeps_its_trainings_in_the_browser(county: County) -> None:
    here, reader = visitor(county, "department1"), visitor(county, "township1")
    assert "/training/list/" in here.get("/").text
    empty = here.post("/training/add", {"subject": ""})
    assert empty.status_code == 422
    saved = here.post("/training/add", given(county, held_on="2026年12月1日"))
    assert saved.status_code == 302, words_of(saved)
    address = saved.headers["Location"]
    key = address.rsplit("/", 1)[1]
    assert "河道巡查要点" in words_of(reader.get("/training/list/"))
    assert "河道巡查要点" in words_of(reader.get("/training/list/?q=巡查"))
    assert "河道巡查要点" not in words_of(reader.get("/training/list/?q=消防"))
    assert "河道巡查要点" in words_of(reader.get(f"/training/list/?department={county['department1']}"))
    assert "河道巡查要点" not in words_of(reader.get("/training/list/?manner=lecture"))
    assert "自然资源局" in words_of(reader.get(address))
    assert reader.get("/training/add").status_code == 403
    assert visitor(county, "township9").get(address).status_code == 404

    edit = f"/training/edit/{key}"
    older = {name: found[-1] for name, found in form_to(here.get(edit), edit).values.items()}
    assert here.post(edit, {**older, "subject": "河道巡查与取证"}).status_code == 302
    conflict = here.post(edit, {**older, "subject": "我的题目"})
    assert conflict.status_code == 409
    assert {"河道巡查与取证", "我的题目"} <= set(words_of(conflict).split())
    assert form_to(conflict, edit).values["subject"] == ["我的题目"]
    timeline = words_of(here.get(address))
    assert "河道巡查要点" in timeline, "the timeline says what it was before"
    assert "河道巡查与取证" in timeline
    assert here.post(f"/training/delete/{key}").status_code == 302
    assert here.get(address).status_code == 404


def test_a_program_keeps_trainings_by_rest(county: County) -> None:
    api, reader = Api(county, "department1"), Api(county, "township1")
    described = api.get("/_openapi").json
    assert {"get", "post"} <= described["paths"]["/api/v1/training/"].keys()
    assert set(described["components"]["schemas"]["training.create"]["required"]) == {
        "subject", "manner", "held_on", "department",
    }  # fmt: skip
    created = api.post("/training/", given(county))
    assert created.status_code == 201, created.json
    key = created.json["id"]
    refused = api.post("/training/", {**given(county), "manner": "dancing", "held_on": "32.13."})
    assert (refused.status_code, set(refused.json)) == (422, {"manner", "held_on"})
    assert reader.post("/training/", given(county)).status_code == 403
    shown = reader.get(f"/training/{key}").json["result"]
    assert (shown["subject"], shown["manner"], shown["held_on"]) == ("河道巡查要点", "on_site", "2026-12-01")
    assert shown["department"]["id"] == county["department1"]
    answer = api.call("PUT", f"/training/{key}", json={"held_on": "2026-12-02", "version": shown["version"]})
    assert (answer.status_code, answer.json["result"]["held_on"]) == (200, "2026-12-02")
    stale = api.call("PUT", f"/training/{key}", json={"held_on": "2026-12-03", "version": shown["version"]})
    assert stale.status_code == 409
    found = reader.get("/training/", {"filters": [{"col": "subject", "opr": "ct", "value": "巡查"}]})
    assert (found.status_code, found.json["ids"]) == (200, [key])
    assert reader.call("DELETE", f"/training/{key}").status_code == 403
    assert api.call("DELETE", f"/training/{key}").status_code == 200
    assert api.get(f"/training/{key}").status_code == 404


def test_it_is_a_record_type_like_every_other(county: County) -> None:
    assert RECORD_TYPES["training"].natural_key == ("subject", "held_on")
