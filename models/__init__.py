"""What the county knows and may do: tables, workflows, clocks, formulas. Imports nothing of the portal, the views or the reports."""

from models import assessment_workflow as assessment_workflow
from models import assignment_workflow as assignment_workflow
from models import attachment as attachment
from models import changes as changes
from models import imported as imported
from models import notification as notification
from models import supervision as supervision
from models import sweep as sweep
