"""Coming back into an account whose password is lost: by a link that an administrator hands over in person."""

import hashlib
import secrets
from dataclasses import dataclass
from datetime import timedelta

from django.db import transaction
from django.utils.translation import gettext as _

from gandan import audit
from gandan.access import Actor, Refused, now
from gandan.accounts import sessions
from gandan.accounts.models import RecoveryLink, User

RECOVERY_HOURS = 24


@dataclass(frozen=True, slots=True)
class Recovery:
    """A link with its token, which is shown once and stored nowhere."""

    link: RecoveryLink
    token: str


def make_recovery_link(*, user: User, reason: str, by: Actor) -> Recovery:
    """Make a link by which the person chooses a new password, once, within a day; older links end.

    Who may do this is the caller's question. Second factors stay: the link never stands in for one.
    """
    token, at = secrets.token_urlsafe(24), now()
    with transaction.atomic():
        RecoveryLink.objects.filter(user=user, used_at=None).delete()
        link = RecoveryLink.objects.create(
            user=user, token_hash=_hash(token), made_at=at, expires_at=at + timedelta(hours=RECOVERY_HOURS)
        )
        audit.record("account.recovery_link", by=by, on=user, capability="account.close", reason=reason)
    return Recovery(link, token)


def open_recovery(token: str, *, lock: bool = False) -> RecoveryLink | None:
    """Return the link that a token opens now, or None: wrong, used, replaced and expired look alike."""
    rows = RecoveryLink.objects.filter(token_hash=_hash(token), used_at=None, expires_at__gt=now())
    return (rows.select_for_update() if lock else rows).filter(user__is_active=True).select_related("user").first()


def recover(*, token: str, password: str) -> User:
    """Set the new password, end every session, and close the link. The person then signs in as always.

    Raises Refused for a token that opens nothing.
    """
    with transaction.atomic():
        link = open_recovery(token, lock=True)
        if link is None:
            raise Refused(_("This link is not valid any more. Ask your administrator for a new one."))
        user = link.user
        user.set_password(password)
        user.save(update_fields=["password"])
        link.used_at = now()
        link.save(update_fields=["used_at"])
        actor = Actor(user_id=user.pk, name=user.title)
        audit.record("account.recover", by=actor, on=user)
        sessions.end(user=user, by=actor, reason="password recovered")
    return user


def close(*, user: User, reason: str, by: Actor) -> None:
    """Close an account: it is refused at its next request, wherever it is signed in."""
    with transaction.atomic():
        User.objects.filter(pk=user.pk).update(is_active=False)
        audit.record("account.close", by=by, on=user, reason=reason)
        sessions.end(user=user, by=by, reason="account closed")


def reopen(*, user: User, reason: str, by: Actor) -> None:
    """Open a closed account again; its roles are as they were."""
    with transaction.atomic():
        User.objects.filter(pk=user.pk).update(is_active=True)
        audit.record("account.reopen", by=by, on=user, capability="account.close", reason=reason)


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
