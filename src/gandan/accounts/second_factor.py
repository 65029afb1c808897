"""Who must show a second thing beside the password: an app, a key or a passkey.

Whoever can decide about other people, see across units, or change what others rely on. What is not listed here as
open to a password alone needs a second factor, so that a capability added tomorrow does.
"""

from typing import Any

from allauth.account.signals import authentication_step_completed
from allauth.mfa.models import Authenticator
from allauth.mfa.signals import authenticator_added, authenticator_removed
from django.conf import settings
from django.db import transaction
from django.http import HttpRequest

from gandan import audit
from gandan.access import Actor, now
from gandan.access.roles import CAPABILITIES
from gandan.accounts import sessions
from gandan.accounts.models import User
from gandan.accounts.sessions import SHOWN
from gandan.audit.actions import record_apart

PASSWORD_ENOUGH = {
    "case.receive": "the desk of one's own unit",
    "case.read": "the matters of one's own unit; who reads wider holds another capability too",
    "case.identity": "the people of one's own unit's matters",
    "case.note": "adds, takes nothing away",
    "case.handover": "answered for by the one who receives",
    "case.take": "names oneself",
    "case.ask": "asks the person who came",
    "case.answer": "signed by name, and can be reopened",
    "case.settle": "signed by name, and can be reopened",
    "obligation.read": "clocks of one's own unit",
    "unit.read": "the public register",
    "results.read": "figures that are published anyway",
}
"""Capabilities for which a password is enough, each with the reason."""
KINDS = (Authenticator.Type.TOTP, Authenticator.Type.WEBAUTHN)


def requiring() -> frozenset[str]:
    """Return the capabilities that need a second factor."""
    return CAPABILITIES - PASSWORD_ENOUGH.keys()


def is_demanded(actor: Actor) -> bool:
    """Say whether this person must have a second factor here. Never in the demo, whose chairs have no password."""
    if not settings.GANDAN_SECOND_FACTOR or actor.is_anonymous:
        return False
    held = actor.ordinary.keys() | actor.concerned.keys()
    return any(capability not in PASSWORD_ENOUGH and actor.can(capability) for capability in held)


def has_one(user: Any) -> bool:
    """Say whether the person has set up an app, a key or a passkey. Recovery codes alone are none."""
    return Authenticator.objects.filter(user_id=user.pk, type__in=KINDS).exists()


def reset(*, user: User, reason: str, by: Actor) -> None:
    """Take away every second factor of somebody who lost theirs, and end their sessions.

    The password stays as it is, and the next sign-in leads to setting up a new factor. `reason` is a code; who
    may do this is the caller's question. Works as well when there was none.
    """
    with transaction.atomic():
        Authenticator.objects.filter(user_id=user.pk).delete()
        audit.record("account.reset_factor", by=by, on=user, capability="account.close", reason=reason)
        sessions.end(user=user, by=by, reason="factor reset")


def listen() -> None:
    authentication_step_completed.connect(_shown, dispatch_uid="gandan.accounts.second_factor.shown")
    authenticator_added.connect(_added, dispatch_uid="gandan.accounts.second_factor.added")
    authenticator_removed.connect(_removed, dispatch_uid="gandan.accounts.second_factor.removed")


def _shown(sender: Any, request: HttpRequest, method: str, **_: Any) -> None:
    if method == "mfa":
        request.session[SHOWN] = now().timestamp()


def _added(sender: Any, request: HttpRequest, user: Any, authenticator: Any, **_: Any) -> None:
    if authenticator.type in KINDS:
        _tell("account.add_factor", user, authenticator)


def _removed(sender: Any, request: HttpRequest, user: Any, authenticator: Any, **_: Any) -> None:
    if authenticator.type not in KINDS:
        return
    _tell("account.remove_factor", user, authenticator)
    if not has_one(user):
        request.session.pop(SHOWN, None)
    sessions.end(user=user, by=Actor(user_id=user.pk), but=request.session.session_key or "", reason="factor removed")


def _tell(action: str, user: Any, authenticator: Any) -> None:
    record_apart(action, by=Actor(user_id=user.pk), on=user, reason=str(authenticator.type))
