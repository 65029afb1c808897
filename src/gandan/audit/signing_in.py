"""Coming in, leaving, and being turned away at the sign-in, told by the framework's signals."""

from typing import Any

from django.contrib.auth.signals import user_logged_in, user_logged_out, user_login_failed

from gandan.access import Actor
from gandan.audit.actions import record_apart


def listen() -> None:
    user_logged_in.connect(_came_in, dispatch_uid="gandan.audit.came_in")
    user_logged_out.connect(_left, dispatch_uid="gandan.audit.left")
    user_login_failed.connect(_turned_away, dispatch_uid="gandan.audit.turned_away")


def _came_in(sender: Any, user: Any, **_: Any) -> None:
    record_apart("sign_in.came", by=Actor(user_id=user.pk))


def _left(sender: Any, user: Any = None, **_: Any) -> None:
    if user is not None:
        record_apart("sign_in.left", by=Actor(user_id=user.pk))


def _turned_away(sender: Any, credentials: Any, **_: Any) -> None:
    """The name that was tried is committed to, not written: people type passwords into the wrong box."""
    tried = str(credentials.get("username", ""))[:150]
    record_apart("sign_in.failed", by=Actor(), values={"tried": tried})
