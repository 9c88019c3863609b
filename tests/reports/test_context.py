"""Contexts are stored as plain JSON and read strictly."""

import json

import pytest

import reports
from reports import ContextError

SAMPLES = [(kind.name, name) for kind in reports.KINDS.values() for name in kind.samples]


@pytest.mark.parametrize(("kind", "name"), SAMPLES)
def test_a_context_survives_storage_as_json(kind, name):
    context = reports.KINDS[kind].samples[name]
    stored = json.loads(json.dumps(context.to_json(), ensure_ascii=False))
    assert reports.KINDS[kind].read(stored) == context


@pytest.mark.parametrize(
    ("change", "field"),
    [
        (lambda data: data.pop("dept"), "dept"),
        (lambda data: data.update(colour="red"), "colour"),
        (lambda data: data.update(dept=7), "dept"),
        (lambda data: data.update(dept=None), "dept"),
        (lambda data: data.update(cases="none"), "cases"),
        (lambda data: data.update(cases=[]), "cases"),
        (lambda data: data["cases"][0].update(role="旁观"), "cases[0].role"),
        (lambda data: data["cases"][0].update(urge_count=True), "cases[0].urge_count"),
        (lambda data: data["cases"].append("text"), "cases[1]"),
        (lambda data: data.update(date="2026-11-23"), "date"),
    ],
)
def test_what_does_not_fit_is_named(sample, change, field):
    data = sample("reminder", "single")
    change(data)
    with pytest.raises(ContextError) as raised:
        reports.render_html("reminder", data)
    assert raised.value.field == field
    assert field in str(raised.value)


def test_fields_with_a_default_may_be_absent_from_older_contexts(sample):
    data = sample("call_slip", "closed")
    del data["measures"], data["reports"][0]["round"]
    assert reports.KINDS["call_slip"].read(data).to_json()["reports"][0]["round"] == 1
