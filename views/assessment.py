"""Assessment: schemes with their indicators, runs, evaluation sheets and scores."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from flask import flash, redirect, render_template, request
from flask_appbuilder import expose
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_babel import ngettext
from sqlalchemy.orm import joinedload, selectinload

from app.database import db
from app.portal.page import (
    Action,
    Button,
    Cell,
    Column,
    Fact,
    Link,
    MatrixCell,
    MatrixPage,
    MatrixRow,
    RecordPage,
    Row,
    Section,
)
from app.portal.record.declared import number
from app.portal.record_view import Failed, RecordView
from app.portal.rest.shape import ComputedColumn
from models import viewer
from models.assessment import (
    OFFICE,
    AssessmentRun,
    AssessmentScheme,
    Evaluator,
    Indicator,
    Questionnaire,
    QuestionnaireMark,
    Score,
    SheetState,
)
from models.assessment_workflow import MARK_FIELDS, mark_fault
from models.field import FieldError
from models.person import ROLES
from models.refusal import Conflict, Forbidden, Invalid
from models.viewer import Viewer
from models.workflow import load_visible, perform, possible, workflow_of

EVERYONE = frozenset(ROLES)


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
    """The sheets: shown as the matrix that is filled in."""

    model = Questionnaire
    readers = OFFICE | {"township_officer", "department_officer"}
    group = "assessment"
    columns = ("organisation", "run", "state", "submitted_at")
    unrelated = frozenset({"questionnaire_mark"})

    def page_options(self) -> Sequence[Any]:
        marks = selectinload(Questionnaire.marks)
        return [marks.joinedload(QuestionnaireMark.subject), marks.joinedload(QuestionnaireMark.indicator)]

    def withheld(self, record: Any, person: Viewer) -> frozenset[str]:
        """The marks stand in the matrix; the timeline need not repeat them."""
        return frozenset({"marks"})

    def record_page(self, record: Questionnaire, failed: Failed | None) -> RecordPage:
        page = super().record_page(record, failed)
        columns = (
            Column("subject", _("Assessed")),
            Column("dealings", _("Calls in the period"), number=True),
            *(Column(f"indicator-{one.id}", one.name, number=True) for one in _asked(record)),
        )
        rows = tuple(
            Row(
                str(marks[0].subject_id),
                "",
                (
                    Cell(marks[0].subject.short_name),
                    Cell(str(marks[0].dealings), number=True),
                    *(Cell(_mark_text(record, one), number=True) for one in marks),
                ),
                marks[0].subject.short_name,
            )
            for marks in _by_subject(record)
        )
        return replace(
            page, body=self._next_step(record), main_sections=(Section(_("Marks given"), columns=columns, rows=rows),)
        )

    def _next_step(self, sheet: Questionnaire) -> tuple[Fact, ...]:
        """The way to the matrix, in front of everything, for whom it waits; the remark."""
        remark = (Fact(_("Remark"), Cell(sheet.remark), long=True),) if sheet.remark else ()
        if not any(one.name == "fill" for one in possible(sheet, self.person())):
            return remark
        return (Fact(_("Next"), Cell(_("Fill in the sheet"), url=self.url("sheet", pk=sheet.id))), *remark)

    def actions(self, record: Any, failed: Failed | None, prefix: str = "") -> tuple[Action, ...]:
        """Marks are filled in on a page of their own."""
        return tuple(one for one in super().actions(record, failed, prefix) if one.name != "fill")

    def record_buttons(self, record: Any, person: Viewer) -> tuple[Button, ...]:
        buttons = super().record_buttons(record, person)
        if not any(one.name == "fill" for one in possible(record, person)):
            return buttons
        return (Button(_("Fill in the sheet"), self.url("sheet", pk=record.id), icon="pencil", primary=True), *buttons)

    @expose("/<int:pk>/sheet", methods=["GET", "POST"])
    def sheet(self, pk: int) -> Any:
        """The matrix as one form. What was typed comes back, whatever was wrong with it."""
        person = self.demand("can_show")
        session = db.session()
        sheet: Questionnaire = load_visible(session, Questionnaire, pk, self.page_options())
        if not self.may("can_fill"):
            raise Forbidden()
        if request.method == "GET":
            if not any(one.name == "fill" for one in possible(sheet, person)):
                return redirect(self.url("show", pk=pk))
            return self._matrix(sheet, {}, sheet.remark)
        typed = {_name(one): request.form.get(_name(one), "")[:40] for one in sheet.marks}
        remark = request.form.get("remark", "")
        errors = {name: fault for name, raw in typed.items() if (fault := _fault(raw))}
        if errors:
            return self._matrix(sheet, typed, remark, cell_errors=errors, status=422)
        marks = [
            {"subject": one.subject_id, "indicator": one.indicator_id, "mark": typed[_name(one)]} for one in sheet.marks
        ]
        try:
            given = {"marks": marks, "remark": remark}
            perform(session, Questionnaire, pk, "fill", given, version=number(request.form.get("version")))
            session.commit()
        except (Invalid, Conflict) as refused:
            session.rollback()
            again = load_visible(session, Questionnaire, pk, self.page_options())
            sentences = [str(one) for found in refused.errors.values() for one in found] or [str(refused.message)]
            return self._matrix(again, typed, remark, errors=sentences, status=refused.status)
        flash(_("%(done)s.", done=workflow_of(Questionnaire)["fill"].done), "success")
        return redirect(self.url("show", pk=pk))

    def _matrix(
        self,
        sheet: Questionnaire,
        typed: Mapping[str, str],
        remark: str,
        *,
        errors: Sequence[str] = (),
        cell_errors: Mapping[str, str] | None = None,
        status: int = 200,
    ) -> Any:
        cell_errors = cell_errors or {}

        def cell(one: QuestionnaireMark) -> MatrixCell:
            name = _name(one)
            value = typed.get(name, "" if one.mark is None else f"{one.mark.normalize():f}")
            label = f"{one.subject.short_name}：{one.indicator.name}"
            return MatrixCell(name, value, label, cell_errors.get(name, ""))

        page = MatrixPage(
            title=_("Fill in: %(what)s", what=sheet.run.name),
            intro=_(
                "Give each department a mark from 0 to 100. Leave the row empty if you had no dealings. No classified "
                "information may be entered here."
            ),
            action_url=self.url("sheet", pk=sheet.id),
            cancel_url=self.url("show", pk=sheet.id),
            head=_("Assessed"),
            hint_head=_("Calls in the period"),
            columns=tuple(one.name for one in _asked(sheet)),
            rows=tuple(
                MatrixRow(marks[0].subject.short_name, str(marks[0].dealings), tuple(cell(one) for one in marks))
                for marks in _by_subject(sheet)
            ),
            remark=remark,
            version=sheet.version,
            errors=tuple(errors),
            crumbs=(Link(str(self.model.plural), self.url("list")), Link(sheet.title, self.url("show", pk=sheet.id))),
        )
        return render_template("matrix.html", page=page, frame_active=(self.group, "")), status


def _name(mark: QuestionnaireMark) -> str:
    return f"mark-{mark.subject_id}-{mark.indicator_id}"


def _fault(raw: str) -> str:
    """What is wrong with a typed mark."""
    try:
        found = mark_fault(MARK_FIELDS[2].parse(raw))
    except FieldError as error:
        found = error.message
    return str(found) if found is not None else ""


def _asked(sheet: Questionnaire) -> list[Indicator]:
    """The indicators of a sheet, in the order of its columns."""
    return list(dict.fromkeys(one.indicator for one in sheet.marks))


def _by_subject(sheet: Questionnaire) -> list[list[QuestionnaireMark]]:
    """The marks row by row: every one of the assessed is asked about by the same indicators."""
    rows: dict[int, list[QuestionnaireMark]] = {}
    for one in sheet.marks:
        rows.setdefault(one.subject_id, []).append(one)
    return list(rows.values())


def _mark_text(sheet: Questionnaire, one: QuestionnaireMark) -> str:
    if one.mark is not None:
        return f"{one.mark.normalize():f}"
    return _("No dealings") if sheet.state == SheetState.submitted else "—"


class QuestionnaireMarkView(RecordView):
    """Single marks, for programs; people see the matrix."""

    model = QuestionnaireMark
    readers = QuestionnaireView.readers

    def url_of(self, record: Any) -> str:
        return str(self.appbuilder.url_of("questionnaire", record.questionnaire_id))


def _calculations(session: Any, scores: Sequence[Any]) -> dict[int, list[dict[str, Any]]]:
    person = viewer.current_person()
    return {one.id: list(one.calculation_for(person)) if person is not None else [] for one in scores}


class ScoreView(RecordView):
    """Scores, each opening as a worked calculation."""

    model = Score
    readers = frozenset({"assessor", "auditor", "department_officer", "agency_head"})
    group = "assessment"
    columns = ("subject", "run", "total")
    extra_columns = {
        "calculation": ComputedColumn(
            _l("Calculation"),
            _calculations,
            {"type": "array", "items": {"type": "object", "additionalProperties": True}},
        )
    }

    def page_options(self) -> Sequence[Any]:
        return [joinedload(Score.run).joinedload(AssessmentRun.scheme), joinedload(Score.subject)]

    def record_page(self, record: Score, failed: Failed | None) -> RecordPage:
        page = super().record_page(record, failed)
        lines = record.calculation_for(self.person())
        if not lines:
            return page
        columns = (
            Column("name", _("Indicator")),
            Column("evaluator", _("Judged by")),
            Column("basis", _("Made of")),
            Column("result", _("Achieved"), number=True),
            Column("weight", _("Weight"), number=True),
            Column("points", _("Points"), number=True),
        )
        rows = tuple(
            Row(
                str(line["indicator"]),
                "",
                (
                    Cell(line["name"]),
                    Cell(str(Evaluator(line["evaluator"]).label)),
                    Cell(_made_of(line)),
                    Cell(
                        f"{line['result']} / {line['full_score']}" if line["compared"] else _("not compared"),
                        number=True,
                    ),
                    Cell(line["weight"], number=True),
                    Cell(line["points"] or "—", number=True),
                ),
                line["name"],
            )
            for line in lines
        )
        return replace(page, main_sections=(Section(_("Calculation"), columns=columns, rows=rows),))


def _made_of(line: Mapping[str, Any]) -> str:
    """Numerator and denominator of a rate; number of evaluators and their average."""
    if "denominator" in line:
        return _("%(numerator)s of %(denominator)s", numerator=line["numerator"], denominator=line["denominator"])
    count = line["evaluators"]
    if line["average"] is None:
        return ngettext("%(count)d evaluator", "%(count)d evaluators", count, count=count)
    return ngettext(
        "%(count)d evaluator, average %(average)s",
        "%(count)d evaluators, average %(average)s",
        count,
        count=count,
        average=line["average"],
    )
