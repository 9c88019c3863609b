"""What people see: one file per subject, a few lines per record type."""

from __future__ import annotations

from app.portal.builder import Portal
from views.access import AccessView
from views.administration import SettingView
from views.audit import AuditView
from views.calendar import CalendarView
from views.call import AssignmentView, CallView, EvaluationView, ReportView
from views.checklist import ChecklistItemView, ChecklistView
from views.document import DocumentView, NoticeView
from views.home import HomeView, LanguageView, SearchView
from views.inbox import InboxView
from views.number_series import NumberSeriesView
from views.organisation import OrganisationView
from views.person import PersonView, PortfolioView, SubstitutionView
from views.role import RoleView
from views.setup import SetUpView

PAGES = (
    HomeView,
    LanguageView,
    SearchView,
    InboxView,
    RoleView,
    CalendarView,
    NumberSeriesView,
    AuditView,
    AccessView,
    SetUpView,
)
RECORDS = (
    CallView,
    AssignmentView,
    ReportView,
    EvaluationView,
    ChecklistView,
    ChecklistItemView,
    NoticeView,
    DocumentView,
    OrganisationView,
    PersonView,
    PortfolioView,
    SubstitutionView,
    SettingView,
)


def register(portal: Portal) -> None:
    """Register every page of the portal."""
    for page in PAGES:
        portal.add_page(page)
    for view in RECORDS:
        portal.add_record(view)
