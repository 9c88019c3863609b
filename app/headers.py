"""Security headers, content security policy with nonces, host check (spec 5)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from flask import Flask
from flask_talisman import Talisman

Handler = TypeVar("Handler", bound=Callable[..., Any])

POLICY = {
    "default-src": "'self'",
    "script-src": "'self'",
    "style-src": "'self'",
    "img-src": ["'self'", "data:"],
    "object-src": "'none'",
    "frame-src": ["'self'", "blob:"],
    "base-uri": "'none'",
    "form-action": "'self'",
    "frame-ancestors": "'self'",
}


SANDBOX = {"default-src": "'none'", "sandbox": ""}
"""The policy of what people uploaded: should a browser show it in place all the same, nothing in it runs or loads."""


def sandboxed(view: Handler) -> Handler:
    """Mark a view that hands out people's files."""
    view.talisman_view_options = {"content_security_policy": SANDBOX}  # type: ignore[attr-defined]  # where Talisman looks for it
    return view


def install(app: Flask) -> None:
    """Send the headers with every answer. Transport security is the proxy's or the setting SECURE_COOKIES' business."""
    Talisman(
        app,
        force_https=False,
        strict_transport_security=app.config["SECURE_COOKIES"],
        session_cookie_secure=app.config["SECURE_COOKIES"],
        session_cookie_samesite="Lax",
        content_security_policy=POLICY,
        content_security_policy_nonce_in=["script-src"],
        frame_options="SAMEORIGIN",
        referrer_policy="same-origin",
        x_xss_protection=False,
    )
