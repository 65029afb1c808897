"""Where somebody is signed in, since when, and how it ends."""

from dataclasses import dataclass
from datetime import UTC, datetime
from importlib import import_module
from typing import Any
from uuid import UUID

from django.conf import settings
from django.contrib.auth.signals import user_logged_in, user_logged_out
from django.contrib.sessions.backends.db import SessionStore
from django.contrib.sessions.models import Session
from django.db import transaction
from django.http import HttpRequest

from gandan import audit
from gandan.access import Actor, now
from gandan.accounts.models import SignIn, User

BEGAN, SEEN, CONFIRMED, SHOWN, SHARED = "began", "seen", "confirmed", "second-factor", "shared"
"""Keys of a session: when it began, was last used, when the person proved who they are and showed a second factor
(all in seconds since 1970), and whether the machine is shared."""
_BROWSERS = (("Edg", "Edge"), ("OPR/", "Opera"), ("coc_coc", "Coc Coc"), ("Firefox/", "Firefox"))
_BROWSERS_LAST = (("Chrome/", "Chrome"), ("Safari/", "Safari"))
_SYSTEMS = (("Android", "Android"), ("iPhone", "iPhone"), ("iPad", "iPad"), ("Windows", "Windows"))
_SYSTEMS_LAST = (("Mac OS X", "macOS"), ("Linux", "Linux"))


@dataclass(frozen=True, slots=True)
class Place:
    """One browser in which a person is signed in, as a page shows it."""

    id: UUID
    browser: str
    began_at: datetime
    seen_at: datetime
    shared: bool
    here: bool


def idle_seconds(session: Any) -> int:
    """Return after how many seconds without work this session ends: sooner on a shared machine."""
    return int(settings.GANDAN_SHARED_IDLE_SECONDS if session.get(SHARED) else settings.GANDAN_IDLE_SECONDS)


def has_ended(session: Any, moment: float) -> bool:
    """Say whether the session is over: idle for too long, or too long altogether. Both ends belong to the session."""
    began, seen = session.get(BEGAN, moment), session.get(SEEN, moment)
    return moment - seen > idle_seconds(session) or moment - began > settings.GANDAN_SESSION_SECONDS


def places(user: User, here: str = "") -> list[Place]:
    """Return where the person is signed in now, the newest first; forget rows whose session is gone."""
    found, gone, moment = [], [], now().timestamp()
    for row in SignIn.objects.filter(user=user).order_by("-began_at", "pk"):
        session = _store(row.session_key)
        data = session.load()
        if str(data.get("_auth_user_id", "")) != str(user.pk) or has_ended(data, moment):
            gone.append(row.pk)
            continue
        seen = datetime.fromtimestamp(data.get(SEEN, row.began_at.timestamp()), UTC)
        shared = bool(data.get(SHARED))
        found.append(Place(row.pk, row.browser, row.began_at, seen, shared, row.session_key == here))
    SignIn.objects.filter(pk__in=gone).delete()
    return found


def end(*, user: User, by: Actor, only: UUID | None = None, but: str = "", reason: str = "") -> int:
    """End sessions of a person, all or `only` one, `but` the one with this key; return how many ended."""
    rows = SignIn.objects.filter(user=user).exclude(session_key=but)
    if only is not None:
        rows = rows.filter(pk=only)
    ended = 0
    with transaction.atomic():
        for row in rows:
            _store(row.session_key).delete()
            row.delete()
            ended += 1
        if ended:
            audit.record("account.end_session", by=by, on=user, reason=reason, values={"sessions": ended})
    return ended


def clear_ended(at: datetime) -> int:
    """Delete sessions whose cookie is over, and forms that waited for an hour; return how many.

    By the framework's clock, with which it dated them.
    """
    a_second_ago = SessionStore().get_expiry_date(expiry=-1)
    ended = Session.objects.filter(expire_date__lt=a_second_ago)
    # Looked at first: deleting nothing would still wait for its turn to write.
    return ended.delete()[0] if ended.exists() else 0


def listen() -> None:
    user_logged_in.connect(_came, dispatch_uid="gandan.accounts.sessions.came")
    user_logged_out.connect(_left, dispatch_uid="gandan.accounts.sessions.left")


def _came(sender: Any, request: HttpRequest, user: Any, **_: Any) -> None:
    session = request.session
    moment = now()
    session[BEGAN] = session[SEEN] = session[CONFIRMED] = moment.timestamp()
    if not session.session_key:
        session.create()
    SignIn.objects.update_or_create(
        session_key=session.session_key,
        defaults={"user": user, "began_at": moment, "browser": _browser(request.META.get("HTTP_USER_AGENT", ""))},
    )


def _left(sender: Any, request: HttpRequest | None, **_: Any) -> None:
    key = getattr(getattr(request, "session", None), "session_key", None)
    if key:
        SignIn.objects.filter(session_key=key).delete()


def _browser(agent: str) -> str:
    """Return what a person calls the browser and the system; nothing more of the long line is kept."""
    browser = next((name for sign, name in _BROWSERS + _BROWSERS_LAST if sign in agent), "")
    system = next((name for sign, name in _SYSTEMS + _SYSTEMS_LAST if sign in agent), "")
    return " · ".join(part for part in (browser, system) if part)


def _store(key: str) -> Any:
    return import_module(settings.SESSION_ENGINE).SessionStore(key)
