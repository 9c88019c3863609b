"""The step of the example: button and form, timeline, REST, and the refusals in their order."""

from __future__ import annotations

import pytest

from tests.app.portal.api_client import Api
from tests.app.visitor import form_to, visitor, words_of
from tests.conftest import Installation
from tests.county import County
from tests.documented.training_story import given


@pytest.fixture
def installation(sqlite_installation: Installation) -> Installation:
    sqlite_installation.fresh("county")
    return sqlite_installation


def test_the_step_has_a_button_a_form_and_an_entry_on_the_timeline(county: County) -> None:
    here = visitor(county, "department1")
    saved = here.post("/training/add", given(county))
    assert saved.status_code == 302, words_of(saved)
    address = saved.headers["Location"]
    step = f"/training/{address.rsplit('/', 1)[1]}/hold"
    form = {name: found[-1] for name, found in form_to(here.get(address), step).values.items()}
    refused = here.post(step, {**form, "heads": "0"})
    assert refused.status_code == 422
    assert form_to(refused, step).values["heads"] == ["0"]
    assert f'action="{step}"' not in visitor(county, "department2").get(address).text
    assert here.post(step, {**form, "heads": "25"}).status_code == 302
    page = here.get(address)
    assert f'action="{step}"' not in page.text
    assert "25" in words_of(page)


def test_the_step_is_an_operation_with_its_refusals_in_order(county: County) -> None:
    api = Api(county, "department1")
    described = api.get("/_openapi").json
    assert described["components"]["schemas"]["training.hold"]["required"] == ["heads"]
    key = api.post("/training/", given(county)).json["id"]
    assert [one["name"] for one in api.get(f"/training/{key}/transitions").json] == ["hold"]
    assert Api(county, "township9").post(f"/training/{key}/hold", {}).status_code == 404
    assert Api(county, "department2").post(f"/training/{key}/hold", {"heads": 3}).status_code == 403
    assert api.post(f"/training/{key}/hold", {}).status_code == 422
    done = api.post(f"/training/{key}/hold", {"heads": 3})
    assert (done.status_code, done.json["state"]) == (200, "held")
    assert api.post(f"/training/{key}/hold", {"heads": 3}).status_code == 409
