"""Who may still try a password or a code.

An account answers at most 20 wrong tries an hour: 12 from browsers that it has not been opened in before, and 8
from those that it has, so that a stranger who guesses does not lock the officer out of the officer's own browser.
A place (an address) may fail 10 times an hour in browsers that are not known; a slip of the finger that is followed
by the right password is given back, and what succeeds is never counted, so that an office behind one address works.
"""

import hashlib
import hmac
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.conf import settings
from django.core.signing import BadSignature, Signer
from django.http import HttpRequest, HttpResponse

from gandan.accounts import limits
from gandan.accounts.models import User


@dataclass(frozen=True, slots=True)
class Size:
    """How a bucket is filled: tries an hour, and tries at once. In any hour at most the sum of both is used."""

    rate: float
    burst: float


STRANGE = Size(6, 6)
KNOWN = Size(4, 4)
PLACE = Size(2, 8)
SLIP = Size(1, 4)
"""One account at one place: half of what the place has, so that one forgetful person leaves the others theirs."""
CODE = Size(5, 5)
LINK = Size(5, 5)
_ONCE = Size(30, 1)
"""A code of six digits is good for 90 seconds; the same one is taken once in 120."""
_REMEMBERED = 12
_NEVER = "!"


class Tries:
    """One attempt to sign in: asked before the password is compared, told of the outcome after."""

    def __init__(self, request: HttpRequest, name: str, at: datetime) -> None:
        self.name = name.strip().casefold()
        self.place = limits.source(request)
        self.at = at
        self.known = mark(self.name) in _marks(request)
        self.bucket, self.size = ("sign-in known", KNOWN) if self.known else ("sign-in", STRANGE)

    def begin(self) -> limits.Answer:
        """Take a try of the account, if the account and the place still have one."""
        if not self.known:
            for bucket, key, size in self._here:
                answer = limits.look(bucket, key, size.rate, size.burst, self.at)
                if not answer:
                    return answer
        return limits.take(self.bucket, self.name, self.size.rate, self.size.burst, self.at)

    def failed(self) -> None:
        if not self.known:
            for bucket, key, size in self._here:
                limits.take(bucket, key, size.rate, size.burst, self.at)

    def succeeded(self) -> None:
        """Give back the try, and what the same person's slips cost the place."""
        limits.give_back(self.bucket, self.name, self.size.rate, self.at)
        if not self.known:
            slips = limits.spent("slip", self._slip, SLIP.rate, self.at)
            if slips > 0:
                limits.give_back("place", self.place, PLACE.rate, self.at, slips)
                limits.empty_record("slip", self._slip)

    @property
    def _here(self) -> tuple[tuple[str, str, Size], ...]:
        return ("slip", self._slip, SLIP), ("place", self.place, PLACE)

    @property
    def _slip(self) -> str:
        return f"{self.place} {self.name}"


def code_tries(user: User, at: datetime) -> limits.Answer:
    """Take a try at a person's codes; `code_right` gives it back."""
    return limits.take("code", str(user.pk), CODE.rate, CODE.burst, at)


def code_right(user: User, code: str, at: datetime) -> bool:
    """Give the try back; say whether this code is used for the first time."""
    limits.give_back("code", str(user.pk), CODE.rate, at)
    return bool(limits.take("code once", f"{user.pk} {code}", _ONCE.rate, _ONCE.burst, at))


def link_closed(request: HttpRequest, at: datetime) -> limits.Answer:
    """Count a link with a token that opens nothing against the place it comes from."""
    return limits.take("link", limits.source(request), LINK.rate, LINK.burst, at)


def may_open_links(request: HttpRequest, at: datetime) -> limits.Answer:
    return limits.look("link", limits.source(request), LINK.rate, LINK.burst, at)


# Browsers in which an account has been opened before


def mark(name: str) -> str:
    """Return what a browser keeps to show that this account was opened in it with its present password."""
    password = User.objects.filter(username=name).values_list("password", flat=True).first() or _NEVER
    words = f"browser\x00{name}\x00{password}".encode()
    return hmac.new(settings.GANDAN_KEYS["limits"], words, hashlib.sha256).hexdigest()[:24]


def remember(request: HttpRequest, response: HttpResponse, name: str) -> None:
    """Let this browser show next time that the account was opened in it."""
    own = mark(name)
    kept = [own, *(each for each in _marks(request) if each != own)][:_REMEMBERED]
    response.set_cookie(
        settings.GANDAN_BROWSER_COOKIE,
        _signer().sign_object(kept),
        max_age=180 * 86_400,
        httponly=True,
        secure=settings.SESSION_COOKIE_SECURE,
        samesite="Lax",
    )


def _marks(request: HttpRequest) -> list[Any]:
    try:
        kept = _signer().unsign_object(request.COOKIES.get(settings.GANDAN_BROWSER_COOKIE, ""))
    except (BadSignature, ValueError):
        return []
    return kept if isinstance(kept, list) else []


def _signer() -> Signer:
    return Signer(salt="gandan.accounts.browser")
