"""Counts the record type of `docs/add-a-record-type.md` and the same one in stock Django admin with plugins, and tells what each gets for it.

Run as `python -m bench.count_record_type`. Counted are the lines somebody has to write for this one type: neither empty nor comment, imports and
templates included, generated migrations not. The Django side is used for real if `requirements-bench.txt` is installed.
"""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
from pathlib import Path

from tests.documented import listing

HERE = Path(__file__).parent
DJANGO = HERE / "django_record_type" / "training"
REGISTERED = 2
"""Lines in a project's own files that name the type: Huying's `views/__init__.py`, Django's `urls.py`."""


def huying_lines() -> dict[str, int]:
    """Of the example with its step, as the Django one has it."""
    return {
        "models/training.py": listing.lines(listing.model_with_step()),
        "views/training.py": listing.lines(listing.view()),
        "registered": REGISTERED,
    }


def django_lines() -> dict[str, int]:
    files = sorted(one for one in DJANGO.rglob("*") if one.suffix in (".py", ".html") and one.name != "__init__.py")
    counted = {str(one.relative_to(DJANGO.parent)): listing.lines(one.read_text(encoding="utf-8")) for one in files}
    return {**counted, "registered": REGISTERED}


def told(module: str) -> dict[str, bool]:
    """Which of the things a side gives, found by using it in a process of its own. Raises RuntimeError with what went wrong there."""
    code = f"import json; from {module} import things; print(json.dumps(things()))"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=HERE.parent, capture_output=True, text=True, timeout=300, check=False
    )
    if done.returncode:
        raise RuntimeError(done.stderr[-4000:])
    found: dict[str, bool] = json.loads(done.stdout.strip().splitlines()[-1])
    return found


def table() -> str:
    """Both counts, and below them the fourteen things."""
    sides = {"Huying": huying_lines(), "Django admin": django_lines()}
    rows = [f"{name}: {sum(counted.values())} lines" for name, counted in sides.items()]
    rows += [f"  {name:14} {file:44} {count:4}" for name, counted in sides.items() for file, count in counted.items()]
    ours = told("tests.documented.things")
    peers = told("bench.django_record_type.checks") if importlib.util.find_spec("django") else None
    rows.append(f"{'':34}{'Huying':>8}{'Django':>8}")
    for name, has in ours.items():
        theirs = "–" if peers is None else _mark(peers[name])
        rows.append(f"{name:34}{_mark(has):>8}{theirs:>8}")
    if peers is None:
        rows.append("Django is not installed: pip install -r requirements-bench.txt")
    return "\n".join(rows)


def _mark(has: bool) -> str:
    return "yes" if has else "no"


if __name__ == "__main__":
    print(table())
