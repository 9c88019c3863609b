"""What people see: one file per subject, a few lines per record type."""

from __future__ import annotations

from app.portal.builder import Portal
from views.access import AccessView
from views.administration import SettingView
from views.admission import AdmissionOpinionView, AdmissionView, HandDownReportView
from views.agency import (
    AccountPeriodView,
    AgencyStaffView,
    AllotmentView,
    ExpenseView,
    MembershipTransferView,
    StationedAgencyView,
)
from views.alarm import AlarmView
from views.assessment import (
    AssessmentRunView,
    AssessmentSchemeView,
    IndicatorView,
    QuestionnaireMarkView,
    QuestionnaireView,
    ScoreView,
)
from views.assignment import AssignmentView, EvaluationView, ReportView
from views.audit import AuditView
from views.bulletin import BulletinView
from views.calendar import CalendarView
from views.call import CallView
from views.call_records import (
    CallShareView,
    ConveningView,
    EscalationView,
    ExtensionView,
    InstructionView,
    LongTermView,
    MilestoneView,
    ReturnRequestView,
)
from views.canned_text import CannedTextView
from views.checklist import ChecklistItemView, ChecklistView, DutyView, WorkflowStepView
from views.checklist_revision import ChecklistRevisionView
from views.cockpit import CockpitView
from views.consultation import (
    AdjustmentProposalView,
    ConsultationCandidateView,
    ConsultationOpinionView,
    PersonnelConsultationView,
)
from views.contact import ContactView
from views.delivery import DeliveryView
from views.director_sheet import DirectorSheetView
from views.document import DocumentView, NoticeView
from views.document_text import DocumentTextView
from views.home import HomeView, LanguageView, SearchView
from views.inbox import InboxView
from views.ledger import LedgerView
from views.number_series import NumberSeriesView
from views.organisation import OrganisationView
from views.own import InterfaceView, ProfileView
from views.person import PersonView, PortfolioView, SubstitutionView
from views.role import RoleView
from views.roster import DutyShiftView, LiaisonView
from views.setup import SetUpView
from views.supervision import ConclusionView, InspectionView, RectificationView, ReviewRequestView
from views.verification import VerificationView

PAGES = (
    HomeView,
    LanguageView,
    SearchView,
    InboxView,
    AlarmView,
    ProfileView,
    ContactView,
    InterfaceView,
    RoleView,
    CalendarView,
    NumberSeriesView,
    DocumentTextView,
    VerificationView,
    DeliveryView,
    AuditView,
    AccessView,
    SetUpView,
    DirectorSheetView,
    LedgerView,
    CockpitView,
)
RECORDS = (
    CallView,
    AssignmentView,
    ReportView,
    EvaluationView,
    MilestoneView,
    ReturnRequestView,
    ExtensionView,
    LongTermView,
    ConveningView,
    EscalationView,
    InstructionView,
    CallShareView,
    CannedTextView,
    ChecklistView,
    ChecklistItemView,
    DutyView,
    WorkflowStepView,
    ChecklistRevisionView,
    AdmissionView,
    AdmissionOpinionView,
    HandDownReportView,
    NoticeView,
    AssessmentSchemeView,
    IndicatorView,
    AssessmentRunView,
    QuestionnaireView,
    QuestionnaireMarkView,
    ScoreView,
    InspectionView,
    ConclusionView,
    BulletinView,
    RectificationView,
    ReviewRequestView,
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
    PersonView,
    LiaisonView,
    DutyShiftView,
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
