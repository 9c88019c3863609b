"""What the county knows and may do: tables, workflows, clocks, formulas. Imports nothing of the portal, the views or the reports."""

from models import account as account
from models import assignment_workflow as assignment_workflow
from models import notification as notification
from models import organisation_workflow as organisation_workflow
from models import supervision as supervision
from models import sweep as sweep
