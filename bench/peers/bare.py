"""A bare Flask page: the same 25 rows by one SQL statement, in a plain table."""

from __future__ import annotations

from collections.abc import Callable

from flask import Flask, render_template_string, request
from sqlalchemy import create_engine, event, text

PAGE = """<!doctype html><html lang="zh-Hans"><head><meta charset="utf-8"><title>呼叫</title></head><body><table>
<thead><tr>{% for name in ("编号", "事项", "乡镇", "部门", "领域", "状态", "提交", "更新") %}<th>{{ name }}</th>{% endfor %}</tr></thead>
<tbody>{% for row in rows %}<tr class="row">
<td>{{ row.number }}</td><td><a href="/call/{{ row.id }}">{{ row.title }}</a></td><td>{{ row.township }}</td><td>{{ row.departments }}</td>
<td>{{ row.field }}</td><td>{{ row.state }}</td><td>{{ row.submitted_at }}</td><td>{{ row.changed_at }}</td>
</tr>{% endfor %}</tbody></table></body></html>"""

ROWS = """
SELECT call.id, number, title, field, call.state, submitted_at, call.changed_at, township.short_name AS township,
       (SELECT string_agg(department.short_name, '、' ORDER BY assignment.position) FROM assignment
        JOIN organisation AS department ON department.id = assignment.department_id WHERE assignment.call_id = call.id) AS departments
FROM call JOIN organisation AS township ON township.id = call.township_id
WHERE call.id IN (SELECT call_id FROM call_party WHERE organisation_id = :organisation) AND (call.state = :state OR :state = '') AND call.id < :below
ORDER BY call.id DESC LIMIT 25
"""


def make(url: str, organisation_id: int, note: Callable[..., None]) -> Flask:
    """The page; `note` hears of every statement."""
    app = Flask(__name__)
    engine = create_engine(url)
    event.listen(engine, "before_cursor_execute", note)

    @app.get("/calls")
    def calls() -> str:
        values = {
            "organisation": organisation_id,
            "state": request.args.get("state", ""),
            "below": int(request.args.get("below", 2**62)),
        }
        with engine.connect() as connection:
            return render_template_string(PAGE, rows=connection.execute(text(ROWS), values).all())

    return app
