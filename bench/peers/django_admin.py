"""Measures Django's admin; prints the figures as JSON. Started with the interpreter of `.venv-bench`."""

from __future__ import annotations

import json
import os
import sys

from bench.measure import measured


def main(url: str, organisation_id: str, deep_page: str, word: str) -> None:
    os.environ |= {
        "BENCH_DATABASE": url,
        "BENCH_ORGANISATION": organisation_id,
        "DJANGO_SETTINGS_MODULE": "bench.peers.django_site.settings",
    }
    import django

    django.setup()
    from django.contrib.auth.models import User
    from django.core.management import call_command
    from django.db import connection
    from django.test import Client

    call_command("migrate", verbosity=0)
    person, _new = User.objects.get_or_create(username="bench", is_staff=True, is_superuser=True)
    client = Client()
    client.force_login(person)
    seen: list[str] = []

    def note(execute, sql, params, many, context):
        seen.append(sql)
        return execute(sql, params, many, context)

    def get(address: str) -> str:
        answer = client.get(address)
        assert answer.status_code == 200, (address, answer.status_code)
        return str(answer.content.decode())

    pages = {
        "first": "/admin/django_site/call/",
        "filtered": "/admin/django_site/call/?state=dispatched",
        "deep": f"/admin/django_site/call/?p={deep_page}",
        "search": f"/admin/django_site/call/?q={word}",
    }
    with connection.execute_wrapper(note):
        found = {
            name: measured(lambda a=address: get(a), seen, "field-number").plain() for name, address in pages.items()
        }
    print(json.dumps(found))


if __name__ == "__main__":
    main(*sys.argv[1:5])
