"""What a page shows, as plain data.

The portal builds these from records, templates draw them. Nothing here knows the database, so a template can be
tested with sample data and a page can be
tested without a browser. All labels arrive translated; all URLs arrive complete.
"""

from app.portal.page.elements import ONE_LINE, Badge, Button, Cell, Column, Fact, Link, Pill, Row, Tone
from app.portal.page.forms import FormPage, MatrixCell, MatrixPage, MatrixRow
from app.portal.page.frame import Frame, NavEntry, NavGroup
from app.portal.page.lists import BulkPage, Chip, Empty, ExportChoice, ExportPage, ListPage, Skipped, Tab
from app.portal.page.own import ErrorPage, InterfacePage, ProfilePage, Resource
from app.portal.page.records import (
    Action,
    Attaching,
    Attachment,
    Change,
    Clock,
    Part,
    RecordPage,
    Section,
    TimeBar,
    TimelineEntry,
    TimePage,
    TimePart,
)
from app.portal.page.work import AlarmPage, HomePage, InboxItem, InboxPage, Tile, WorkItem

__all__ = [
    "ONE_LINE",
    "Action",
    "AlarmPage",
    "Attaching",
    "Attachment",
    "Badge",
    "BulkPage",
    "Button",
    "Cell",
    "Change",
    "Chip",
    "Clock",
    "Column",
    "Empty",
    "ErrorPage",
    "ExportChoice",
    "ExportPage",
    "Fact",
    "FormPage",
    "Frame",
    "HomePage",
    "InboxItem",
    "InboxPage",
    "InterfacePage",
    "Link",
    "ListPage",
    "MatrixCell",
    "MatrixPage",
    "MatrixRow",
    "NavEntry",
    "NavGroup",
    "Part",
    "Pill",
    "ProfilePage",
    "RecordPage",
    "Resource",
    "Row",
    "Section",
    "Skipped",
    "Tab",
    "Tile",
    "TimeBar",
    "TimePage",
    "TimePart",
    "TimelineEntry",
    "Tone",
    "WorkItem",
]
