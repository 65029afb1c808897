"""Is it still the person who signed in? Asked again before what is hard to undo, without losing what was typed.

A form that was being sent meanwhile may hold a name or words of somebody who trusted us. So it waits sealed, in a row
of its own among the sessions, and the key to it is held by the browser alone, in a cookie that no script can read.
Under the keys of the installation it would open for whoever has the database and the folder of keys, and erasure would
have to find it; this way neither the database nor a backup tells it, with or without those keys, and it is gone with
the cookie. The row is found by a hash of the key, opens for the same person only, and is deleted after an hour.
"""

import base64
import hmac
import json
import secrets
from collections.abc import Callable
from functools import wraps
from typing import Any

from allauth.account.internal.flows.reauthentication import get_reauthentication_flows
from allauth.account.signals import authentication_step_completed
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from django.conf import settings
from django.contrib.sessions.backends.db import SessionStore
from django.contrib.sessions.models import Session
from django.db import transaction
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.http import urlencode

from gandan.access import now
from gandan.accounts.sessions import CONFIRMED

MINUTES = 15
_KEPT = "kept"
_NONCE, _TOKEN = 12, 32
_KEPT_SECONDS = 3600
_KEPT_LETTERS = 200_000
_NEVER_KEPT = ("csrfmiddlewaretoken", "password", "code", "credential")
View = Callable[..., HttpResponse]


def needs_recent(request: HttpRequest, minutes: int = MINUTES) -> HttpResponse | None:
    """Return None when the person proved who they are within `minutes`, else the answer that asks them to.

    A form that was being sent is kept, and offered again afterwards:

        if ask := needs_recent(request):
            return ask
    """
    if is_recent(request, minutes):
        return None
    is_form = request.method not in ("GET", "HEAD")
    target = reverse("go_on") if is_form else request.get_full_path()
    answer = HttpResponseRedirect(f"{reverse('account_reauthenticate')}?{urlencode({'next': target})}")
    if is_form:
        keep(request, answer, request.user.pk)
    return answer


def recent(minutes: int = MINUTES) -> Callable[[View], View]:
    """Decorate a view that only somebody who proved lately who they are may use; inside `@needs`."""

    def wrap(view: View) -> View:
        @wraps(view)
        def answer(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
            return needs_recent(request, minutes) or view(request, *args, **kwargs)

        return answer

    return wrap


def is_recent(request: HttpRequest, minutes: int = MINUTES) -> bool:
    """Say whether the person proved within `minutes` who they are. Chairs of the demo have nothing to prove."""
    age = now().timestamp() - request.session.get(CONFIRMED, 0)
    if 0 <= age <= minutes * 60:
        return True
    return bool(settings.GANDAN_DEMO) and not get_reauthentication_flows(request.user)


def keep(request: HttpRequest, answer: HttpResponse, user_id: Any) -> bool:
    """Keep a form that cannot be taken now, for an hour, for this person alone; False when it is too large.

    `answer` carries the key to the browser. Passwords, codes and files are not kept.
    """
    fields = [
        (name, value)
        for name, values in request.POST.lists()
        if not any(word in name for word in _NEVER_KEPT)
        for value in values
        if isinstance(value, str)
    ]
    if sum(len(name) + len(value) for name, value in fields) > _KEPT_LETTERS:
        return False
    form = {
        "to": request.get_full_path(),
        "fields": fields,
        "files": bool(request.FILES),
        "at": now().timestamp(),
    }
    token, store, before = secrets.token_bytes(_TOKEN), SessionStore(), _token_of(request)
    with transaction.atomic():
        if before:
            Session.objects.filter(pk=_row_of(before)).delete()
        Session.objects.create(
            session_key=_row_of(token),
            session_data=store.encode({_KEPT: _sealed(json.dumps(form).encode(), token, user_id)}),
            expire_date=store.get_expiry_date(expiry=_KEPT_SECONDS),
        )
    answer.set_cookie(
        settings.GANDAN_KEPT_COOKIE,
        base64.urlsafe_b64encode(token).decode(),
        max_age=_KEPT_SECONDS,
        secure=settings.SESSION_COOKIE_SECURE,
        httponly=True,
        samesite="Lax",
    )
    return True


def kept(request: HttpRequest) -> dict[str, Any] | None:
    """Return the form that was kept for the person who is signed in, or None."""
    token = _token_of(request)
    row = Session.objects.filter(pk=_row_of(token)).first() if token else None
    content = _opened(SessionStore().decode(row.session_data).get(_KEPT, ""), token, request.user.pk) if row else None
    if content is None:
        return None
    found: dict[str, Any] = json.loads(content)
    return found if now().timestamp() - found["at"] <= _KEPT_SECONDS else None


def _token_of(request: HttpRequest) -> bytes:
    """Return the key that the browser holds, b"" where it holds none."""
    try:
        token = base64.urlsafe_b64decode(request.COOKIES.get(settings.GANDAN_KEPT_COOKIE, ""))
    except ValueError:
        return b""
    return token if len(token) == _TOKEN else b""


def _row_of(token: bytes) -> str:
    """Return under which name the row of a key lies; it does not lead back to the key."""
    return hmac.digest(token, b"gandan kept row", "sha256").hex()[:40]


def _cipher(token: bytes) -> AESGCM:
    return AESGCM(hmac.digest(token, b"gandan kept key", "sha256"))


def _sealed(content: bytes, token: bytes, user_id: Any) -> str:
    nonce = secrets.token_bytes(_NONCE)
    return base64.b64encode(nonce + _cipher(token).encrypt(nonce, content, str(user_id).encode())).decode()


def _opened(sealed: str, token: bytes, user_id: Any) -> bytes | None:
    """Return what was kept, None for another person or another key."""
    content = base64.b64decode(sealed)
    try:
        return _cipher(token).decrypt(content[:_NONCE], content[_NONCE:], str(user_id).encode())
    except (InvalidTag, ValueError):
        return None


def listen() -> None:
    authentication_step_completed.connect(_proved, dispatch_uid="gandan.accounts.recent.proved")


def _proved(sender: Any, request: HttpRequest, reauthenticated: bool = False, **_: Any) -> None:
    if reauthenticated:
        request.session[CONFIRMED] = now().timestamp()
