"""Assessment: schemes with their indicators, runs, evaluation sheets and scores."""

from __future__ import annotations

from app.portal.record_view import RecordView
from models.assessment import AssessmentRun, AssessmentScheme, Indicator, Questionnaire, QuestionnaireMark, Score
from models.person import ROLES

EVERYONE = frozenset(ROLES)
OFFICE = frozenset({"assessor"})


class AssessmentSchemeView(RecordView):
    model = AssessmentScheme
    readers = EVERYONE
    writers = OFFICE
    rest_methods = frozenset({"list", "show", "add", "edit", "delete"})
    group = "assessment"
    columns = ("name", "year", "kind", "edition", "state")


class IndicatorView(RecordView):
    model = Indicator
    readers = EVERYONE
    writers = OFFICE
    rest_methods = frozenset({"list", "show", "add", "edit", "delete"})


class AssessmentRunView(RecordView):
    model = AssessmentRun
    readers = EVERYONE
    writers = OFFICE
    rest_methods = frozenset({"list", "show", "add", "edit", "delete"})
    group = "assessment"
    columns = ("name", "scheme", "period_from", "period_to", "state")


class QuestionnaireView(RecordView):
    model = Questionnaire
    readers = frozenset({"assessor", "township_officer", "department_officer"})
    group = "assessment"


class QuestionnaireMarkView(RecordView):
    model = QuestionnaireMark
    readers = QuestionnaireView.readers


class ScoreView(RecordView):
    model = Score
    readers = frozenset({"assessor", "auditor", "department_officer", "agency_head"})
    group = "assessment"
