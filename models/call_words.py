"""The words of calls: kinds, sources, states, answers and marks (2.1, 2.2)."""

from __future__ import annotations

from flask_babel import lazy_gettext as _l

from models.field import Choice
from models.workflow import State


class CallKind(Choice):
    general = "general", _l("General")
    emergency = "emergency", _l("Emergency")


class CallSource(Choice):
    own = "own", _l("Found by ourselves")
    grid = "grid", _l("Grid")
    hotline = "12345", _l("12345 hotline")
    superior = "superior", _l("Assigned from above")
    other = "other", _l("Other")


class DeclineReason(Choice):
    """Why a call is not accepted (2.1)."""

    own_power = "own_power", _l("Within the township's own power")
    litigation = "litigation", _l("Litigation or petition")
    duplicate = "duplicate", _l("Duplicate of another call")
    classified = "classified", _l("Classified")
    out_of_scope = "out_of_scope", _l("Outside the scope of calls")


class CallState(State):
    draft = "draft", _l("Draft"), "waiting"
    submitted = "submitted", _l("Waiting for acceptance"), "others"
    returned = "returned", _l("To be completed"), "waiting"
    accepted = "accepted", _l("Waiting for dispatch"), "others"
    dispatched = "dispatched", _l("In hand"), "going"
    reported = "reported", _l("Waiting for evaluation"), "waiting"
    closed = "closed", _l("Closed"), "done", True
    declined = "declined", _l("Declined"), "muted", True
    withdrawn = "withdrawn", _l("Withdrawn"), "muted", True
    long_term = "long_term", _l("Long-term handling"), "going"


class AssignmentRole(Choice):
    lead = "lead", _l("Lead department")
    cooperating = "cooperating", _l("Cooperating department")


class AssignmentState(State):
    pending = "pending", _l("Waiting for response"), "others"
    responded = "responded", _l("Being handled"), "going"
    reported = "reported", _l("Reported"), "done"
    return_requested = "return_requested", _l("Return requested"), "others"
    returned = "returned", _l("Given back"), "muted", True
    missed = "missed", _l("Not handled"), "overdue", True


class ResponseManner(Choice):
    phone = "phone", _l("By telephone")
    on_site = "on_site", _l("On site")
    meeting = "meeting", _l("In a meeting")


class Solved(Choice):
    solved = "solved", _l("Solved")
    partly = "partly", _l("Partly solved")
    not_solved = "not_solved", _l("Not solved")


class Satisfaction(Choice):
    satisfied = "satisfied", _l("Satisfied")
    fair = "fair", _l("Fair")
    dissatisfied = "dissatisfied", _l("Dissatisfied")


class Mark(Choice):
    """What stays of a missed deadline (2.2, end)."""

    late_response = "late_response", _l("Late response")
    no_response = "no_response", _l("No response")
    late_report = "late_report", _l("Late report")
