"""What people see: one file per subject, a few lines per record type."""

from __future__ import annotations

from app.portal.builder import Portal
from views.administration import SettingView
from views.bulletin import BulletinView
from views.call import AssignmentView, CallView, EvaluationView, ReportView
from views.checklist import ChecklistItemView, ChecklistView
from views.document import DocumentView, NoticeView
from views.home import HomeView, LanguageView, SearchView
from views.inbox import InboxView
from views.organisation import OrganisationView
from views.roster import DutyShiftView, LiaisonView
from views.supervision import ConclusionView, InspectionView, RectificationView, ReviewRequestView

PAGES = (HomeView, LanguageView, SearchView, InboxView)
RECORDS = (
    CallView,
    AssignmentView,
    ReportView,
    EvaluationView,
    ChecklistView,
    ChecklistItemView,
    NoticeView,
    InspectionView,
    ConclusionView,
    BulletinView,
    RectificationView,
    ReviewRequestView,
    DocumentView,
    OrganisationView,
    LiaisonView,
    DutyShiftView,
    SettingView,
)


def register(portal: Portal) -> None:
    """Register every page of the portal."""
    for page in PAGES:
        portal.add_page(page)
    for view in RECORDS:
        portal.add_record(view)
