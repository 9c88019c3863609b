"""A county with many calls: the tests' small county, more organisations, and as many calls as asked for, made inside the database."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager

import sqlalchemy as sa

import app as program
import config
from app.database import db
from app.installation import install
from tests.county import County, found_county

DEPARTMENTS, TOWNSHIPS = 40, 12
PERSON = "department1"
"""Whose list is measured: the officer of a department that takes part in about one call of twenty-seven."""

MORE_ORGANISATIONS = """
INSERT INTO organisation (version, created_at, changed_at, county_id, name, party_name, short_name, kind, run_by, parent_id, "order", phone, active)
SELECT 1, now(), now(), :county, '县第' || n || CAST(:word AS text), '', '第' || n || CAST(:word AS text), :kind, 'county', :county, 100 + n, '', true
FROM generate_series(CAST(:first AS int), CAST(:last AS int)) AS n
"""

CALLS = """
INSERT INTO call (version, created_at, changed_at, county_id, number, kind, title, field, description, place, contact_name, contact_phone,
                  agreed_by, source, external_number, township_id, state, complex, remark, submitted_at, accepted_at, dispatched_at,
                  missing, decline_text, other_channel, objection)
SELECT 3, at, at + (n % 97) * interval '1 hour', :county, '呼2026-' || lpad(n::text, 7, '0'),
       CASE WHEN n % 50 = 0 THEN 'emergency' ELSE 'general' END,
       places[1 + n % 40] || matters[1 + (n / 40) % 30] || '需要协调处理（' || n || '）',
       fields[1 + n % 6],
       places[1 + (n * 7) % 40] || '群众反映' || matters[1 + (n * 11) % 30] || '，我镇已到现场查看并劝阻，因无执法权，请有关部门到场处置。',
       places[1 + n % 40], '王建国', '0530-' || n, '李镇长', 'own', '', townships[1 + n % 12],
       CASE (n / 40) % 10 WHEN 0 THEN 'dispatched' WHEN 1 THEN 'reported' ELSE 'closed' END,
       n % 9 = 0, '', at, at, at, '', '', '', ''
FROM (SELECT n, timestamptz '2020-01-01' + n * interval '2 minutes' AS at
      FROM generate_series(CAST(:first AS bigint), CAST(:last AS bigint)) AS n) AS calls,
     (SELECT array_agg(id ORDER BY id) AS townships FROM organisation WHERE county_id = :county AND kind = 'township') AS t,
     (SELECT CAST(:places AS text[]) AS places, CAST(:matters AS text[]) AS matters, CAST(:fields AS text[]) AS fields) AS w
"""

ASSIGNMENTS = """
INSERT INTO assignment (version, created_at, changed_at, county_id, call_id, position, department_id, role, state, round, assigned_at, respond_due,
                        respond_red_at, report_from, report_due, response_whom, response_plan, stopped_at,
                        section, acknowledged_by, urges)
SELECT 1, call.created_at, call.created_at, call.county_id, call.id, place.n, departments[1 + (call.id + 13 * place.n) % 40],
       CASE place.n WHEN 0 THEN 'lead' ELSE 'cooperating' END, CASE call.state WHEN 'dispatched' THEN 'pending' ELSE 'reported' END, 1,
       call.created_at, call.created_at + interval '1 day', call.created_at + interval '4 days', call.created_at, call.created_at + interval '5 days',
       '', '', CASE call.state WHEN 'dispatched' THEN NULL ELSE call.created_at END, '', '', 0
FROM call, generate_series(0, 1) AS place(n),
     (SELECT array_agg(id ORDER BY id) AS departments FROM organisation WHERE county_id = :county AND kind = 'department') AS d
WHERE call.id BETWEEN :first AND :last AND (place.n = 0 OR call.id % 2 = 0)
"""

PARTIES = """
INSERT INTO call_party (call_id, organisation_id, role, state, due)
SELECT id, township_id, 'township', state, NULL FROM call WHERE id BETWEEN :first AND :last
UNION ALL
SELECT call_id, department_id, role, state, CASE state WHEN 'pending' THEN respond_due END FROM assignment WHERE call_id BETWEEN :first AND :last
"""

PLACES = [
    f"{a}{b}"
    for a in ("刘庄", "王家", "青石", "河湾", "李集", "大杨", "小留", "沙窝")
    for b in ("村", "社区", "河道", "路口", "大桥")
]
MATTERS = [
    "违法占地", "污水直排", "道路塌陷", "私搭乱建", "燃气泄漏", "电线裸露", "垃圾堆放", "饮水浑浊", "秸秆焚烧", "树木倒伏",
    "噪声扰民", "油烟污染", "河道采砂", "危房漏雨", "山体滑坡", "无证经营", "食品过期", "工地扬尘", "水渠堵塞", "机井损坏",
    "农药残留", "牲畜疫病", "消防堵塞", "车辆超载", "学校周边", "养老补贴", "低保核查", "土地纠纷", "工资拖欠", "桥梁裂缝",
]  # fmt: skip
FIELDS = ["自然资源", "水务", "生态环境", "住建", "应急", "市场监管"]


class Ground:
    """The application on a database with a county."""

    def __init__(self, url: str, folder: str) -> None:
        os.environ["DATA_DIR"] = folder
        settings = config.load({"DATA_DIR": folder, "DATABASE_URL": url})
        names = ("SQLALCHEMY_DATABASE_URI", "SQLALCHEMY_ENGINE_OPTIONS")
        self.url = url
        self.app = program.create_app(
            {"TESTING": True, "SERVER_NAME": None, **{name: settings[name] for name in names}}
        )
        with self.app.app_context():
            install()
        self.county: County = found_county(self.app)
        self.calls = 0
        with self.app.app_context(), db.engine.begin() as connection:
            for word, kind, first, last in (("局", "department", 5, DEPARTMENTS), ("镇", "township", 4, TOWNSHIPS)):
                values = {"county": self.county.id, "word": word, "kind": kind, "first": first, "last": last}
                connection.execute(sa.text(MORE_ORGANISATIONS), values)

    @property
    def organisation_id(self) -> int:
        """The organisation of the person whose list is measured."""
        return self.county[PERSON]

    def fill(self, calls: int) -> None:
        """As many calls as that in all, with assignments and parties, and fresh statistics."""
        values = {"county": self.county.id, "first": self.calls + 1, "last": calls}
        words = {"places": PLACES, "matters": MATTERS, "fields": FIELDS}
        with self.app.app_context(), db.engine.begin() as connection:
            index = connection.execute(sa.text("SELECT pg_get_indexdef('ix_call_text'::regclass)")).scalar_one()
            connection.execute(sa.text("DROP INDEX ix_call_text"))
            connection.execute(sa.text(CALLS), values | words)
            connection.execute(sa.text(ASSIGNMENTS), values)
            connection.execute(sa.text(PARTIES), values)
            # Made anew at once, which is many times faster than row by row.
            connection.execute(sa.text(index))
            connection.execute(sa.text("ALTER INDEX ix_call_text ALTER COLUMN 1 SET STATISTICS 1000"))
        self.calls = calls
        with self.app.app_context(), db.engine.connect() as connection:
            whole = connection.execution_options(isolation_level="AUTOCOMMIT")
            for table in ("call", "assignment", "call_party", "organisation"):
                whole.execute(sa.text(f"VACUUM ANALYZE {table}"))

    def close(self) -> None:
        with self.app.app_context():
            db.session.remove()
            db.engine.dispose()


@contextmanager
def ground(url: str) -> Iterator[Ground]:
    """The application with an empty county in a database."""
    with tempfile.TemporaryDirectory(prefix="huying-bench-") as folder:
        made = Ground(url, folder)
        try:
            yield made
        finally:
            made.close()
