"""The low-code part: from a record type's declaration its list, search, form, page, transition buttons and permissions (design, decision 1)."""

from __future__ import annotations

from app.portal.record.attached import Attached
from app.portal.record.begun import Begun
from app.portal.record.bulk import Bulk
from app.portal.record.exported import Exported
from app.portal.record.formed import Formed
from app.portal.record.imported import Imported
from app.portal.record.related import Related
from app.portal.record.shown import Failed as Failed


class RecordView(Begun, Imported, Exported, Attached, Bulk, Related, Formed):
    """Pages of a record type. A subclass names the model and who reads and writes; the rest is derived, and may be refined."""
