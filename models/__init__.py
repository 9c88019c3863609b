"""What the county knows and may do: tables, workflows, clocks, formulas. Imports nothing of the portal, the views or the reports."""

from models import account as account
from models import admission_workflow as admission_workflow
from models import assessment_workflow as assessment_workflow
from models import assignment_workflow as assignment_workflow
from models import attachment as attachment
from models import bulletin_workflow as bulletin_workflow
from models import call_link as call_link
from models import canned_text as canned_text
from models import changes as changes
from models import checklist_guard as checklist_guard
from models import checklist_revision as checklist_revision
from models import checklist_workflow as checklist_workflow
from models import convening as convening
from models import escalation as escalation
from models import extension as extension
from models import hand_down_report as hand_down_report
from models import imported as imported
from models import milestone as milestone
from models import notice_workflow as notice_workflow
from models import notification as notification
from models import organisation_workflow as organisation_workflow
from models import return_request as return_request
from models import roster as roster
from models import supervision as supervision
from models import supervision_guard as supervision_guard
from models import sweep as sweep
