"""What people see: one file per subject, a few lines per record type."""

from __future__ import annotations

from app.portal.builder import Portal
from views.administration import SettingView
from views.assessment import (
    AssessmentRunView,
    AssessmentSchemeView,
    IndicatorView,
    QuestionnaireMarkView,
    QuestionnaireView,
    ScoreView,
)
from views.call import AssignmentView, CallView, EvaluationView, ReportView
from views.checklist import ChecklistItemView, ChecklistView
from views.document import DocumentView, NoticeView
from views.home import HomeView, LanguageView, SearchView
from views.inbox import InboxView
from views.organisation import OrganisationView
from views.own import InterfaceView, ProfileView
from views.person import PersonView

PAGES = (HomeView, LanguageView, SearchView, InboxView, ProfileView, InterfaceView)
RECORDS = (
    CallView,
    AssignmentView,
    ReportView,
    EvaluationView,
    ChecklistView,
    ChecklistItemView,
    NoticeView,
    AssessmentSchemeView,
    IndicatorView,
    AssessmentRunView,
    QuestionnaireView,
    QuestionnaireMarkView,
    ScoreView,
    DocumentView,
    OrganisationView,
    PersonView,
    SettingView,
)


def register(portal: Portal) -> None:
    """Register every page of the portal."""
    for page in PAGES:
        portal.add_page(page)
    for view in RECORDS:
        portal.add_record(view)
