"""Forgetting who comes to the pages where nobody has to say who they are.

This is the outermost of all: what it takes away no other code ever sees, so that nothing can be written down. What
stays is a bucket, a keyed hash under a key that lives in memory and changes every day, by which guessers are held off.
"""

import hashlib
import hmac
import os
import re
import secrets
from collections.abc import Callable
from datetime import date, datetime, timedelta

from django.http import HttpRequest, HttpResponse

from gandan.access import now
from gandan.access.clock import day_of
from gandan.accounts import limits

ANONYMOUS_PATHS = re.compile(r"/(?:en/)?(?:report|follow)(?:/|$)|/api/v1/(?:matters|follow)(?:/|$)")
"""Where people bring something, or follow it by its code."""
NAMELESS = "gandan.bucket"
_KEPT = {"HTTP_ACCEPT", "HTTP_ACCEPT_LANGUAGE", "HTTP_COOKIE", "HTTP_HOST", "HTTP_ORIGIN", "HTTP_REFERER"}
_KEPT |= {"HTTP_X_FORWARDED_PROTO", "HTTP_X_CSRFTOKEN", "HTTP_CONTENT_LENGTH", "HTTP_CONTENT_TYPE", "HTTP_PREFER"}
_KEPT |= {"HTTP_SEC_FETCH_SITE", "HTTP_IF_NONE_MATCH", "HTTP_IF_MODIFIED_SINCE", "HTTP_TRANSFER_ENCODING"}
_ENVIRONMENT = "GANDAN_BUCKETS"


class Nameless:
    """Takes address, agent and every header that could tell senders apart from requests to anonymous pages."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if ANONYMOUS_PATHS.match(request.path_info):
            forget(request)
        return self.get_response(request)


def forget(request: HttpRequest) -> None:
    """Put a bucket in the place of everything that tells who sends a request."""
    found = buckets_of(limits.source(request), now())
    for name in list(request.META):
        if name in ("REMOTE_HOST", "REMOTE_PORT", "REMOTE_USER") or (name.startswith("HTTP_") and name not in _KEPT):
            del request.META[name]
    request.META["REMOTE_ADDR"] = ""
    request.META[NAMELESS] = found
    request.__dict__.pop("headers", None)  # may have been read before


def bucket_of(source: str, day: date) -> str:
    """Return where the tries of a source are counted on one day; without the key in memory it says nothing."""
    key = hmac.new(_key(), day.isoformat().encode(), hashlib.sha256).digest()
    return hmac.new(key, source.encode(), hashlib.sha256).hexdigest()


def buckets_of(source: str, at: datetime) -> str:
    """Return the names under which the tries of a source count now: two in the first hour of a day, so that midnight
    gives nobody new ones."""
    days = (day_of(at), day_of(at - timedelta(hours=1)))
    return " ".join(dict.fromkeys(bucket_of(source, day) for day in days))


def source_of(request: HttpRequest) -> str:
    """Return the buckets of a request, whether or not its address has been taken away already."""
    return str(request.META.get(NAMELESS) or buckets_of(limits.source(request), now()))


def prepare() -> None:
    """Draw the key before workers begin, so that all of them count in the same buckets; it dies with them."""
    os.environ[_ENVIRONMENT] = secrets.token_hex(32)


def _key() -> bytes:
    if _ENVIRONMENT not in os.environ:
        prepare()
    return bytes.fromhex(os.environ[_ENVIRONMENT])
