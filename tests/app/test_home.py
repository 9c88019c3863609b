"""The workbench shows what waits in every list, not in that of the calls alone."""

from __future__ import annotations

import pytest

from tests.app.visitor import visitor, words_of
from tests.conftest import Installation
from tests.county import County
from tests.supervision import concluded, issued


@pytest.fixture
def installation(sqlite_installation: Installation) -> Installation:
    sqlite_installation.fresh("county")
    return sqlite_installation


def test_what_waits_in_other_lists_stands_on_the_workbench(county: County) -> None:
    assert "责令整改" not in _next(county, "department1")
    issued(county, [concluded(county)])
    mine = _next(county, "department1")
    assert "责令整改" in mine
    assert "1项待您办理" in mine
    assert "责令整改" not in _next(county, "department2")
    assert "责令整改" not in _next(county, "leader")


def _next(county: County, name: str) -> str:
    """The list of what comes next."""
    page = words_of(visitor(county, name).get("/"))
    return page.split("接下来要办")[1].split("最新文书")[0]
