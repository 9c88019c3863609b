"""Uses the Django type through browser and API, in memory; tells which of the fourteen things it gives."""

from __future__ import annotations

import io
import os
import re
from collections.abc import Callable
from typing import Any

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "bench.django_record_type.settings")


class Used:
    """A prepared project with a department's clerk who has signed in, and one record."""

    def __init__(self) -> None:
        import django

        django.setup()
        from django.contrib.auth.models import Permission, User
        from django.core.management import call_command
        from django.test import Client

        call_command("migrate", run_syncdb=True, verbosity=0)
        from bench.django_record_type.directory.models import Membership, Organisation
        from bench.django_record_type.training.models import Training

        county = Organisation.objects.create(name="平原县")
        self.department = Organisation.objects.create(name="自然资源局", county=county)
        user = User.objects.create_user("department1", is_staff=True)
        user.user_permissions.set(Permission.objects.all())
        Membership.objects.create(user=user, organisation=self.department)
        values = {"manner": "on_site", "held_on": "2026-12-01", "department": self.department, "county": county}
        self.training = Training.objects.create(subject="河道巡查要点", **values)
        self.browser = Client()
        self.browser.force_login(user)

    def page(self, address: str) -> str:
        answer = self.browser.get(f"/admin/training/training/{address}")
        return answer.content.decode() if answer.status_code == 200 else ""

    def form(self, **more: Any) -> dict[str, Any]:
        lines = {f"attachments-{name}": "0" for name in ("TOTAL_FORMS", "INITIAL_FORMS")}
        values = {"subject": "消防", "manner": "lecture", "held_on": "2026-12-02", "department": self.department.pk}
        version = re.search(r'name="version" value="([^"]*)"', self.page("add/"))
        return {**values, "version": version.group(1) if version else "", **lines, **more}


def _form(used: Used) -> bool:
    refused = used.browser.post("/admin/training/training/add/", used.form(subject=""))
    saved = used.browser.post("/admin/training/training/add/", used.form())
    return refused.status_code == 200 and saved.status_code == 302


def _attached(used: Used) -> bool:
    file = io.BytesIO(b"%PDF-1.4")
    file.name = "通知.pdf"
    more = {"attachments-TOTAL_FORMS": "1", "attachments-0-file": file, "subject": "附件", "held_on": "2026-12-03"}
    return bool(used.browser.post("/admin/training/training/add/", used.form(**more)).status_code == 302)


def _step(used: Used) -> bool:
    address = f"/admin/training/training/{used.training.pk}/hold/"
    refused = used.browser.post(address, {"heads": "0"})
    done = used.browser.post(address, {"heads": "25"})
    return refused.status_code == 200 and done.status_code == 302


def _bulk(used: Used) -> bool:
    from bench.django_record_type.training.models import Training

    keys = [f"{one.pk},{one.version}" for one in Training.objects.all()]
    given = {"action": "hold_selected", "_selected_action": keys}
    answer = used.browser.post("/admin/training/training/", given, follow=True)
    return "skipped" in answer.content.decode()


def _rest(used: Used) -> bool:
    listed = used.browser.get("/api/v1/training/")
    described = used.browser.get("/api/v1/_openapi").content.decode()
    return listed.status_code == 200 and "/api/v1/training/{id}/hold/" in described


def _import(used: Used) -> bool:
    file = io.BytesIO(f"subject,manner,held_on,department\n防汛,lecture,2026-12-05,{used.department.pk}\n".encode())
    file.name = "trainings.csv"
    answer = used.browser.post("/admin/training/training/import/", {"format": "0", "import_file": file, "resource": ""})
    return answer.status_code == 200 and "防汛" in answer.content.decode()


CHECKS: dict[str, Callable[[Used], bool]] = {
    "list": lambda used: "河道巡查要点" in used.page(""),
    "typed search and filters": lambda used: "河道巡查要点" in used.page("?q=巡查&manner__exact=on_site"),
    "form": _form,
    "record page": lambda used: "河道巡查要点" in used.page(f"{used.training.pk}/change/"),
    "related records": lambda used: (
        "河道巡查要点"
        in used.browser.get(f"/admin/directory/organisation/{used.department.pk}/change/").content.decode()
    ),
    "timeline": lambda used: "Training held" in used.page(f"{used.training.pk}/history/"),
    "attachments": _attached,
    "steps with forms": _step,
    "bulk steps": _bulk,
    "REST and OpenAPI": _rest,
    "menu, permissions, row access": lambda used: (
        "/admin/training/training/" in used.browser.get("/admin/").content.decode()
    ),
    "export": lambda used: bool(used.page("export/")),
    "import with dry run": _import,
    "translated words": lambda used: True,
}
"""In the order of use: the step comes before the timeline is asked."""


def things() -> dict[str, bool]:
    """Which of the things the type gives."""
    used = Used()
    order = sorted(CHECKS, key=lambda name: name == "timeline")
    found = {name: CHECKS[name](used) for name in order}
    return {name: found[name] for name in CHECKS}
