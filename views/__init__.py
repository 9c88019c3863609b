"""What people see: one file per subject, a few lines per record type."""

from __future__ import annotations

from app.portal.builder import Portal
from views.administration import SettingView
from views.agency import (
    AccountPeriodView,
    AgencyStaffView,
    AllotmentView,
    ExpenseView,
    MembershipTransferView,
    StationedAgencyView,
)
from views.call import AssignmentView, CallView, EvaluationView, ReportView
from views.checklist import ChecklistItemView, ChecklistView
from views.consultation import (
    AdjustmentProposalView,
    ConsultationCandidateView,
    ConsultationOpinionView,
    PersonnelConsultationView,
)
from views.document import DocumentView, NoticeView
from views.home import HomeView, LanguageView, SearchView
from views.inbox import InboxView
from views.organisation import OrganisationView

PAGES = (HomeView, LanguageView, SearchView, InboxView)
RECORDS = (
    CallView,
    AssignmentView,
    ReportView,
    EvaluationView,
    ChecklistView,
    ChecklistItemView,
    NoticeView,
    DocumentView,
    StationedAgencyView,
    AgencyStaffView,
    MembershipTransferView,
    AllotmentView,
    ExpenseView,
    AccountPeriodView,
    PersonnelConsultationView,
    ConsultationOpinionView,
    ConsultationCandidateView,
    AdjustmentProposalView,
    OrganisationView,
    SettingView,
)


def register(portal: Portal) -> None:
    """Register every page of the portal."""
    for page in PAGES:
        portal.add_page(page)
    for view in RECORDS:
        portal.add_record(view)
