"""The words of notifications: by kind, read in the reader's language.

They name a call's number and what is to be done, organisations and duty telephones, never a person nor what the call says
(document texts, 14). What somebody wrote in his own words is read inside the portal alone, never in what leaves it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, cast

from flask_babel import format_datetime
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from models.base import RECORD_TYPES
from models.call_words import AssignmentRole, DeclineReason
from models.field import Text
from models.notification import Notification, Topic
from models.party_clocks import CLOCK_NAMES
from models.person import ROLES

Kind = Literal[
    "submitted", "emergency_alarm", "confirm_wanted", "dispatched", "emergency", "ring", "joined", "now_lead", "taken_back", "reassigned",
    "regularised", "regularised_general", "completion_wanted", "completed_by_office", "declined", "objection", "objection_granted",
    "objection_refused", "withdrawn", "responded", "reported", "progress", "progress_township", "evaluation_wanted", "again", "not_again",
    "sent_back", "report_sent_back", "closed_unevaluated", "closed_as_missed", "acknowledged", "handed_on", "shared", "urged",
    "return_asked", "return_referred", "return_upheld", "return_rejected", "extension_asked", "extension_granted", "extension_refused",
    "long_term_asked", "long_term_endorsed", "long_term_approved", "long_term_refused", "long_term_ended",
    "milestone_opened", "milestone_completed", "convened", "meeting_cancelled", "escalated", "decided", "instructed",
    "amber", "overdue", "candidate", "alarm_department", "alarm_duty", "alarm_leader",
    "supervision_drafted", "supervision_issued", "supervision_copy", "clock_amber", "clock_expired", "deadline_moved", "director_sheet",
    "explanation_wanted", "conclusion_served", "rectification_ordered", "opinion_wanted", "proposal_received", "consultation_waits",
    "handed_down", "bulletin_drafted", "bulletin_waits", "bulletin_sent_back", "bulletin_issued", "bulletin_corrected", "explained",
    "rectification_reported", "review_filed", "review_waits", "review_decided",
]  # fmt: skip
"""Everything that anybody is told."""

Relation = Literal[
    "township", "department", "office", "duty", "duty_leader", "leader", "taken", "agency", "convened", "shared",
    "supervision", "responsible", "superior", "addressee", "substitute",
]  # fmt: skip
"""How a person who is told stands to the matter."""

OWN_WORDS = frozenset({"missing", "channel", "place", "matter"})
"""Values that somebody wrote in his own words."""


@dataclass(frozen=True)
class Wording:
    """Title and text of a kind; placeholders are the notification's values, as `_READ` reads them.

    The first of `fuller` whose values are all there is told instead of `text`; outside the portal only one without
    anybody's own words.
    """

    topic: Topic
    title: Text
    text: Text
    fuller: tuple[tuple[tuple[str, ...], Text], ...] = ()
    rings: bool = False
    """Whether it may be confirmed at once: an alarm that goes down the roster until somebody does."""

    def of(self, values: Mapping[str, Any], *, outside: bool) -> Text:
        for names, text in self.fuller:
            if all(values.get(name) for name in names) and not (outside and OWN_WORDS.intersection(names)):
                return text
        return self.text


def _emergency(title: Text, text: Text, *fuller: tuple[tuple[str, ...], Text], rings: bool = False) -> Wording:
    return Wording(Topic.emergency, title, text, fuller, rings)


def _task(title: Text, text: Text, *fuller: tuple[tuple[str, ...], Text]) -> Wording:
    return Wording(Topic.task, title, text, fuller)


def _news(title: Text, text: Text, *fuller: tuple[tuple[str, ...], Text]) -> Wording:
    return Wording(Topic.news, title, text, fuller)


def _late(title: Text, text: Text) -> Wording:
    return Wording(Topic.overdue, title, text)


def _near(title: Text, text: Text) -> Wording:
    return Wording(Topic.amber, title, text)


WORDINGS: dict[Kind, Wording] = {
    # What a call needs of the office, of departments, of its township
    "submitted": _task(_l("New call"), _l("%(call)s from %(township)s waits for acceptance.")),
    "emergency_alarm": _emergency(
        _l("Emergency call"),
        _l("%(township)s has raised the emergency call %(call)s; the departments have been alarmed."),
    ),
    "confirm_wanted": _task(
        _l("Entered from your telephone call"),
        _l("Your telephone call stands in the portal as %(call)s. Please confirm it; if you do not, nothing changes."),
    ),
    "dispatched": _task(
        _l("New matter for your department"),
        _l("A new matter was dispatched to you (%(call)s, %(role)s). Please respond by %(due)s."),
    ),
    "emergency": _emergency(
        _l("Emergency call"),
        _l("Emergency call %(call)s from %(township)s. Please contact %(township)s at once, arrive or respond by %(due)s."),
        (
            ("phone",),
            _l(
                "Emergency call %(call)s from %(township)s. Please call %(township)s on %(phone)s at once, arrive or respond by %(due)s."
            ),
        ),
        rings=True,
    ),
    "ring": _emergency(
        _l("Emergency: please confirm"),
        _l(
            "Emergency call %(call)s from %(township)s, you are on duty for %(department)s: "
"please confirm and contact %(township)s; respond by %(due)s."
        ),
        (
            ("phone",),
            _l(
                "Emergency call %(call)s from %(township)s, you are on duty for %(department)s: "
"please confirm and call %(phone)s; respond by %(due)s."
            ),
        ),
        rings=True,
    ),
    "joined": _news(_l("Another department takes part"), _l("%(department)s now takes part in %(call)s.")),
    "now_lead": _task(_l("Your department leads now"), _l("Your department is the lead department of %(call)s from now on.")),
    "taken_back": _news(_l("No longer with your department"), _l("%(call)s is no longer with your department.")),
    "reassigned": _news(_l("Given to another department"), _l("%(call)s was given to %(department)s.")),
    "regularised": _news(_l("Emergency regularised"), _l("The office has regularised the emergency call %(call)s.")),
    "regularised_general": _news(
        _l("No emergency any more"), _l("%(call)s is handled as a general call; general deadlines run from now.")
    ),
    "completion_wanted": _task(
        _l("To be completed"),
        _l("%(call)s needs to be completed. What is missing stands in the portal."),
        (
            ("missing", "phone"),
            _l("%(call)s needs: %(missing)s. You may also call %(phone)s and let the office complete it."),
        ),
        (("missing",), _l("%(call)s needs: %(missing)s.")),
        (("phone",), _l("%(call)s needs to be completed; you may also call %(phone)s and let the office complete it.")),
    ),
    "completed_by_office": _news(
        _l("Completed by the office"), _l("After a telephone call with you the office has completed %(call)s.")
    ),
    "declined": _task(
        _l("Not accepted"),
        _l("%(call)s was not accepted: %(reason)s. You may object once."),
        (("channel",), _l("%(call)s was not accepted: %(reason)s. The way to go: %(channel)s. You may object once.")),
    ),
    "objection": _task(
        _l("Objection of a township"),
        _l("%(township)s objects to the declining of %(call)s. Please rule on it by %(due)s."),
    ),
    "objection_granted": _news(_l("Objection granted"), _l("Your objection was granted: %(call)s waits for acceptance again.")),
    "objection_refused": _news(_l("Objection refused"), _l("Your objection to the declining of %(call)s was refused.")),
    "withdrawn": _news(_l("Call withdrawn"), _l("%(township)s has withdrawn %(call)s.")),
    "responded": _news(_l("Department responded"), _l("%(department)s has responded to %(call)s.")),
    "reported": _news(_l("Department reported"), _l("%(department)s has reported on %(call)s.")),
    "progress": _news(_l("Progress logged"), _l("%(department)s has logged progress on %(call)s.")),
    "progress_township": _news(_l("Added by the township"), _l("%(township)s has added something to %(call)s.")),
    "evaluation_wanted": _task(
        _l("Waiting for your evaluation"),
        _l("The departments have reported on %(call)s. Please evaluate (about 1 minute)."),
    ),
    "again": _task(
        _l("To be handled again"),
        _l("The township asks your department to handle %(call)s again. Please report by %(due)s."),
    ),
    "not_again": _news(
        _l("Evaluation changed"), _l("The township has changed its evaluation: your department need not handle %(call)s again.")
    ),
    "sent_back": _task(
        _l("Please report again"), _l("The office has sent your report on %(call)s back. Please report again by %(due)s.")
    ),
    "report_sent_back": _news(
        _l("Report sent back"),
        _l("The office has sent a report on %(call)s back; please wait with your evaluation until it is made good."),
    ),
    "closed_unevaluated": _news(
        _l("Closed without an evaluation"),
        _l("%(call)s was not evaluated within %(days)s working days and is closed as “not evaluated”. Nothing is held against your township."),
    ),
    "closed_as_missed": _news(_l("Closed as not handled"), _l("%(call)s was closed as not handled by %(department)s.")),
    "acknowledged": _emergency(_l("Alarm confirmed"), _l("%(department)s has confirmed the alarm of %(call)s.")),
    "handed_on": _task(_l("Handed on to you"), _l("%(call)s was handed on to you. Its deadlines stay as they are.")),
    "shared": _news(_l("Shared with you"), _l("%(call)s was shared with your organisation for reading.")),
    "urged": _task(_l("You are urged"), _l("The township or the office urges you: please %(action)s (%(call)s).")),
    # Returns, extensions, long-term handling
    "return_asked": _task(
        _l("Return to rule on"), _l("%(department)s asks to give %(call)s back. Please rule on it by %(due)s.")
    ),
    "return_referred": _task(
        _l("Disputed return to rule on"), _l("The return of %(call)s by %(department)s is disputed. Please rule on it by %(due)s.")
    ),
    "return_upheld": _news(_l("Return upheld"), _l("The return of %(call)s was upheld: it is no longer with your department.")),
    "return_rejected": _task(
        _l("Return rejected"), _l("The return of %(call)s was rejected. Please respond by %(due)s.")
    ),
    "extension_asked": _task(
        _l("Extension to answer"), _l("%(department)s asks for more time for %(call)s. Please answer by %(due)s.")
    ),
    "extension_granted": _news(
        _l("Extension granted"), _l("The report of %(department)s on %(call)s is due on %(due)s now.")
    ),
    "extension_refused": _news(_l("Extension refused"), _l("More time for %(call)s was refused: the deadline stays.")),
    "long_term_asked": _task(
        _l("Long-term handling to endorse"),
        _l("%(department)s asks for long-term handling of %(call)s. Please endorse or refuse it by %(due)s."),
    ),
    "long_term_endorsed": _task(
        _l("Long-term handling to decide"),
        _l("Long-term handling of %(call)s by %(department)s waits for your decision, by %(due)s."),
    ),
    "long_term_approved": _news(
        _l("Long-term handling approved"), _l("%(call)s is handled long-term; the dates of its milestones count.")
    ),
    "long_term_refused": _news(_l("Long-term handling refused"), _l("Long-term handling of %(call)s was refused: the deadlines stay.")),
    "long_term_ended": _news(
        _l("Long-term handling ended"), _l("The long-term handling of %(call)s has ended; ordinary deadlines run again.")
    ),
    "milestone_opened": _task(_l("New milestone"), _l("Your department has a milestone in %(call)s, due on %(due)s.")),
    "milestone_completed": _task(
        _l("Milestone completed"), _l("%(department)s has completed a milestone of %(call)s. You may evaluate it.")
    ),
    # On site, before the leader
    "convened": _task(
        _l("Called together on site"),
        _l("%(township)s calls you together on site for %(call)s on %(at)s. Where to meet stands in the portal."),
        (("place",), _l("%(township)s calls you together on site for %(call)s: %(at)s, %(place)s.")),
    ),
    "meeting_cancelled": _task(
        _l("Meeting cancelled"), _l("%(township)s has cancelled the meeting on site of %(at)s for %(call)s.")
    ),
    "escalated": _task(
        _l("Waiting for your decision"), _l("%(call)s of %(township)s was brought before you. Please decide by %(due)s.")
    ),
    "decided": _task(_l("Leader decided"), _l("The leader has decided on %(call)s. Please read what is to be done.")),
    "instructed": _task(_l("Instruction of a leader"), _l("A leader has given an instruction on %(call)s. Please read it.")),
    # Deadlines and alarms
    "amber": _near(_l("Deadline is near"), _l("%(call)s is due on %(due)s. Please %(action)s in time.")),
    "overdue": _late(
        _l("Deadline has passed"), _l("%(call)s was due on %(due)s. The reminder slip %(number)s has been issued.")
    ),
    "deadline_moved": _news(
        _l("Deadline recomputed"), _l("The working calendar changed: %(call)s is now due on %(due)s.")
    ),
    "director_sheet": _news(
        _l("The morning's sheet"),
        _l(
            "Due today: %(due_today)s. Overdue: %(overdue)s. Emergencies since offices closed: %(emergencies)s. "
            "Expired clocks: %(expired)s. Slips to be signed: %(slips)s."
        ),
    ),
    "candidate": _late(
        _l("Candidate for a conclusion"),
        _l("%(department)s has let the deadline of %(call)s, %(due)s, pass for days: it stands on the list of candidates."),
    ),
    "alarm_department": _emergency(
        _l("Emergency without an answer"),
        _l("Your department has not responded to the emergency call %(call)s. Please contact %(township)s at once."),
        (
            ("phone",),
            _l("Your department has not responded to the emergency call %(call)s. Please call %(township)s on %(phone)s at once."),
        ),
        rings=True,
    ),
    "alarm_duty": _emergency(
        _l("Emergency without an answer"),
        _l("%(department)s has not responded to the emergency call %(call)s of %(township)s. Please telephone %(department)s now."),
    ),
    "alarm_leader": _emergency(
        _l("Emergency without an answer"),
        _l("%(department)s has not responded to the emergency call %(call)s of %(township)s, due on %(due)s."),
    ),
    "supervision_drafted": _task(
        _l("Supervision slip to sign"), _l("A supervision slip to %(department)s waits for a signature by %(due)s.")
    ),
    "supervision_issued": _late(
        _l("Supervision slip"), _l("The supervision slip %(number)s to %(department)s has been issued. Please act on it at once.")
    ),
    "supervision_copy": _late(_l("Supervision slip"), _l("The supervision slip %(number)s to %(department)s has been issued.")),
    "clock_amber": _near(_l("Deadline is near"), _l("%(clock)s (%(record)s) is due on %(due)s.")),
    "clock_expired": _late(_l("Deadline has passed"), _l("%(clock)s (%(record)s) was due on %(due)s and is still open.")),
    # Beyond calls
    "explanation_wanted": _task(
        _l("Please explain"), _l("The supervision office asks your department to explain facts of a conclusion by %(due)s.")
    ),
    "bulletin_drafted": _task(
        _l("Statistics bulletin drafted"),
        _l("The figures of the last period are frozen and the bulletin is drafted. Please look through it and submit it."),
    ),
    "bulletin_waits": _task(_l("Bulletin to approve"), _l("A bulletin of the supervision office waits for your approval.")),
    "bulletin_sent_back": _task(_l("Bulletin sent back"), _l("A bulletin that you submitted was sent back to be changed.")),
    "bulletin_issued": _news(_l("Bulletin issued"), _l("The bulletin %(number)s was issued to you.")),
    "bulletin_corrected": _news(_l("Bulletin corrected"), _l("The bulletin %(number)s was corrected or revoked.")),
    "explained": _task(_l("Department explained itself"), _l("%(department)s has explained itself. The finding waits for you.")),
    "rectification_reported": _task(
        _l("Rectification reported"), _l("%(department)s reported on the order %(number)s. Please verify it.")
    ),
    "review_filed": _task(
        _l("Review asked for"), _l("%(department)s asks for a review of a conclusion. Please take up its examination.")
    ),
    "review_waits": _task(_l("Review to decide"), _l("The examination of a review request is done; it waits for your decision.")),
    "review_decided": _task(_l("Review decided"), _l("The review that you asked for was decided (%(number)s).")),
    "conclusion_served": _task(
        _l("Conclusion served"), _l("The conclusion %(number)s was served on your department. You may ask for a review within 30 days.")
    ),
    "rectification_ordered": _task(
        _l("Rectification ordered"), _l("Your department is to put right what %(number)s orders, and to report by %(due)s.")
    ),
    "opinion_wanted": _task(
        _l("Opinion asked for"), _l("The staffing office asks for your township's opinion on a matter beyond the list by %(due)s.")
    ),
    "proposal_received": _task(
        _l("Adjustment proposal"), _l("A township has sent the adjustment proposal %(number)s. Please answer it by %(due)s.")
    ),
    "consultation_waits": _task(_l("Personnel consultation"), _l("A personnel consultation waits for you.")),
    "handed_down": _task(
        _l("Duty handed down without approval"),
        _l("The staffing office has found that your department handed down a duty without approval. What it is stands in the portal."),
        (
            ("matter",),
            _l(
                "The staffing office has found that your department handed down a duty without approval: %(matter)s. "
                "Please take it back, or apply for its admission."
            ),
        ),
    ),
}  # fmt: skip


RELATIONS: dict[Relation, Text] = {
    "township": _l("your township raised this call"),
    "department": _l("your department has it in hand"),
    "office": _l("your office keeps track of it"),
    "duty": _l("you are on the duty roster"),
    "duty_leader": _l("you are the county leader on duty"),
    "leader": _l("the department is in your portfolio"),
    "taken": _l("it is in your own hands"),
    "agency": _l("it was handed on to your agency"),
    "convened": _l("your organisation is called to the meeting"),
    "shared": _l("it was shared with your organisation"),
    "supervision": _l("your office supervises"),
    "responsible": _l("the deadline is yours"),
    "superior": _l("you lead whoever let the deadline pass"),
    "addressee": _l("it is addressed to your organisation"),
    "substitute": _l("you stand in for a colleague"),
}


def _instant(value: str) -> str:
    return str(format_datetime(datetime.fromisoformat(value), _("MM-dd HH:mm")))


def _action(clock: str) -> str:
    return _("respond") if clock == "respond" else _("report the result")


def _record(value: Mapping[str, Any]) -> str:
    """A record by its type's name and its number; what has no number is named by its type alone."""
    return " ".join(filter(None, (str(RECORD_TYPES[value["type"]].label), value["number"])))


_READ: Mapping[str, Callable[[Any], str]] = {
    "due": _instant,
    "at": _instant,
    "role": lambda value: str(AssignmentRole(value).label),
    "reason": lambda value: str(DeclineReason(value).label),
    "clock": lambda value: str(CLOCK_NAMES[value].label),
    "action": _action,
    "record": _record,
}
"""How a kept value reads; others are texts already."""


def wording_of(notification: Notification) -> Wording:
    return WORDINGS[cast("Kind", notification.kind)]


def text_of(notification: Notification, *, outside: bool = False) -> tuple[str, str]:
    """Title and text in the present reader's language, for the inbox or for what leaves the portal."""
    wording = wording_of(notification)
    text = wording.of(notification.values, outside=outside)
    values = {name: _READ.get(name, str)(value) for name, value in notification.values.items() if value is not None}
    return str(wording.title), str(text) % values


def why_told(notification: Notification) -> str:
    """Why a person got this: the kind of message, the role in which he did, how he stands to the matter."""
    topic = wording_of(notification).topic.label
    if not notification.relation:  # from before it was kept
        return str(topic)
    role = ROLES.get(notification.role)
    because = str(RELATIONS[cast("Relation", notification.relation)])
    if role is not None:
        because = _("%(role)s: %(because)s", role=role.label, because=because)
    return str(_("%(topic)s · %(because)s", topic=topic, because=because))
