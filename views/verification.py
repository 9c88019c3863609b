"""Whether a paper is genuine: by its check sum or the file itself, for whoever is signed in (spec 3, register)."""

from __future__ import annotations

import re
from typing import Any

import sqlalchemy as sa
from flask import flash, redirect, render_template, request, url_for
from flask_appbuilder import expose
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy.orm import joinedload

from app.database import db
from app.portal.administration import AdministrationPage
from app.portal.frame import Entry
from app.portal.page import Cell, Fact
from app.portal.sheet import Block
from app.portal.words import value_text
from app.storage import content_hash
from models import viewer
from models.base import fields_of
from models.document import Document
from models.person import ROLES
from views.document import KINDS

LONGEST = 100
CHECK_SUM = re.compile(r"[0-9a-f]{64}")


class VerificationView(AdministrationPage):
    """A paper that came by other ways is compared with the register by its SHA-256."""

    route_base = "/verification"
    default_view = "check"
    group = "documents"
    resource = "Verification"
    permissions = {"can_list": frozenset(ROLES)}

    def navigation(self) -> tuple[Entry, ...]:
        return (Entry(_l("Is a paper genuine?"), "VerificationView.check", "Verification"),)

    @expose("/")
    def check(self) -> Any:
        """The question, and with `sha256` its answer."""
        self.demand("can_list")
        given = "".join(request.args.get("sha256", "").lower().split())[:LONGEST]
        return render_template(
            "verification.html",
            title=_("Is a paper genuine?"),
            given=given,
            answer=self._answer(given) if given else None,
            frame_active=(self.group, ""),
        )

    @expose("/file", methods=["POST"])
    def upload(self) -> Any:
        """The check sum of a file, which is not kept."""
        self.demand("can_list")
        given = request.files.get("file")
        if given is None or not given.filename:
            flash(_("Please choose a file."), "warning")
            return redirect(url_for("VerificationView.check"))
        return redirect(url_for("VerificationView.check", sha256=content_hash(given.read())))

    @staticmethod
    def _answer(given: str) -> Block:
        if not CHECK_SUM.fullmatch(given):
            return Block(_("Answer"), text=_("A check sum has 64 signs, 0 to 9 and a to f."))
        with viewer.system():  # whoever has the file has what it says
            query = sa.select(Document).where(Document.sha256 == given).options(joinedload(Document.issuer))
            found = db.session.scalars(query.limit(1)).first()
        if found is None:
            return Block(
                _("Answer"),
                text=_("No paper with this check sum was issued here. It was changed, or it comes from elsewhere."),
            )
        fields = fields_of(Document)
        return Block(
            _("Genuine: this paper was issued here"),
            facts=(
                Fact(_("Number"), Cell(found.number)),
                Fact(_("Title"), Cell(found.name)),
                Fact(_("Kind"), Cell(str(KINDS.get(found.kind, found.kind)))),
                Fact(str(fields["issuer"].label), Cell(found.issuer.name)),
                Fact(str(fields["issued_at"].label), Cell(value_text(fields["issued_at"], found.issued_at))),
            ),
        )
