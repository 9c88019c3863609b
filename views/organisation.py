"""The directory of organisations."""

from __future__ import annotations

from app.portal.record_view import RecordView
from models.organisation import Organisation
from models.person import ROLES


class OrganisationView(RecordView):
    model = Organisation
    readers = frozenset(ROLES)
    group = "directory"
    columns = ("name", "short_name", "kind", "parent", "phone")
