"""The frame of the sample pages, and a small application that draws them with the real templates."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import flask_appbuilder
from flask import Blueprint, Flask
from flask_babel import Babel
from jinja2 import ChoiceLoader, FileSystemLoader

from app.portal import page as p
from app.portal.addresses import address
from app.portal.frame import icon_sprite

APP = Path(__file__).parents[2] / "app"


def frame(**changes: Any) -> p.Frame:
    groups = (
        p.NavGroup("工作台", "home", "/", bottom=True),
        p.NavGroup(
            "呼叫",
            "phone-call",
            entries=(
                p.NavEntry("待我办理", "/call/?tab=mine", counted=True),
                p.NavEntry("在办", "/call/?tab=open", counted=True),
                p.NavEntry("超期", "/call/?tab=overdue", counted=True),
                p.NavEntry("全部", "/call/", active=True),
            ),
            active=True,
            bottom=True,
        ),
        p.NavGroup(
            "责任清单",
            "list-check",
            entries=(p.NavEntry("清单", "/checklist/"), p.NavEntry("修订", "/revision/")),
            bottom=True,
        ),
        p.NavGroup(
            "督查",
            "clipboard-check",
            entries=(p.NavEntry("督办", "/notice/"), p.NavEntry("通报", "/bulletin/")),
            bottom=True,
        ),
        p.NavGroup(
            "派驻机构", "building-community", entries=(p.NavEntry("机构", "/agency/"), p.NavEntry("人员", "/staff/"))
        ),
        p.NavGroup("考核", "chart-bar", "/assessment/"),
        p.NavGroup("文书", "file-text", "/document/"),
        p.NavGroup("通讯录", "address-book", "/directory/"),
        p.NavGroup("系统", "settings", entries=(p.NavEntry("单位", "/organisation/"), p.NavEntry("用户", "/users/"))),
    )
    values: dict[str, Any] = {
        "navigation": groups,
        "person": "李明",
        "organisation": "县自然资源和规划局",
        "county": "示范县",
        "unread": 3,
        "inbox_url": "/inbox",
        "search_url": "/search",
        "languages": (("zh_Hans", "简体中文", True), ("zh_Hant", "繁體中文", False), ("en", "English", False)),
        "language_url": "/language",
        "profile_links": (p.Link("个人资料", "/profile", "user"), p.Link("修改密码", "/password", "key")),
        "logout_url": "/logout",
        "office_phone": "0531-8800 1234",
        "version": "1.0",
        "demonstration": True,
        "acting_for": "王建国",
    }
    return p.Frame(**(values | changes))


def face_app() -> Flask:
    """The real templates and static files without the portal: no database, no log-in."""
    app = Flask("face", static_folder=str(APP / "static"), template_folder=str(APP / "templates"))
    app.config.update(SECRET_KEY="only for drawing", BABEL_DEFAULT_LOCALE="en")
    Babel(app)
    builder = Path(flask_appbuilder.__file__).parent
    app.register_blueprint(
        Blueprint("appbuilder", __name__, static_folder=str(builder / "static"), static_url_path="/static/appbuilder")
    )
    app.jinja_env.loader = ChoiceLoader([FileSystemLoader(APP / "templates"), FileSystemLoader(builder / "templates")])
    app.jinja_env.globals.update(
        csp_nonce=lambda: "n0nce", csrf_token=lambda: "t0ken", icon_sprite=icon_sprite, address=address, zip=zip
    )
    return app
