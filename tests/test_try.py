import pytest

from models.base import RECORD_TYPES
from tests.access.samples import *


@pytest.fixture
def installation(sqlite_installation):
    sqlite_installation.fresh("county")
    return sqlite_installation


def test_x(county):
    for p in places(county):
        with county.acting(None) as s:
            S = Samples(s, p)
            [s.add(Setting(county_id=p.county, name=n, value=v)) for n,v in SWITCHED_ON.items()]; s.flush(); s.info.pop("settings",None)
            for m in list(RECORD_TYPES.values()):
                try:
                    with s.begin_nested():
                        S.of(m)
                except Exception as e:
                    s.info.pop("x", None)
                    print(
                        "FAIL",
                        p.mark,
                        m.resource(),
                        type(e).__name__,
                        str(e)[:200].replace("\n", " "),
                        getattr(e, "errors", ""),
                    )
