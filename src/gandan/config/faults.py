"""What a request that failed is told: that the disk is full, that the database does not answer, or our own fault.

Only what was committed is ever acknowledged, so each of these means: nothing was saved, send it again.
"""

import errno
import logging
import sqlite3
import sys
from typing import Any

from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse
from django.template.loader import get_template

from gandan.ui.context import Page
from gandan.ui.views import server_error as own_fault

logger = logging.getLogger(__name__)

FULL, AWAY = 507, 503
RETRY_SECONDS = 30
_NO_ROOM = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
_POSTGRESQL_NO_ROOM = {"53100"}
_POSTGRESQL_AWAY = ("08", "53", "57P", "55P03", "40001", "40P01")
"""Connections broken or refused, too many of them, shutting down, waited too long, and lost races."""


def server_error(request: HttpRequest) -> HttpResponse:
    """Answer a request that failed: 507 when there is no room, 503 when the database is away, else 500."""
    code = status_of(sys.exc_info()[1])
    if code is None:
        return own_fault(request)
    try:
        body = get_template(f"ui/fault_{code}.html").render({"ui": Page(request)})
    except Exception:
        logger.exception("the page for a full disk or an absent database could not be drawn")
        return own_fault(request)
    return HttpResponse(body, status=code, headers={"Retry-After": str(RETRY_SECONDS)})


def status_of(error: BaseException | None) -> int | None:
    """Return 507 or 503 when that is what `error`, or what it came from, means; None for a fault of ours."""
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        if isinstance(error, OSError) and error.errno in _NO_ROOM:
            return FULL
        if isinstance(error, OperationalError | InterfaceError):
            return _of_database(error.__cause__)
        error = error.__cause__ or error.__context__
    return None


def _of_database(cause: Any) -> int | None:
    if isinstance(cause, sqlite3.Error):
        code = getattr(cause, "sqlite_errorcode", 0) & 0xFF
        if code == sqlite3.SQLITE_FULL:
            return FULL
        # SQLite says "disk I/O error" where a limit on the size of files stops it.
        if code in {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_IOERR}:
            return AWAY
        return None
    state = getattr(cause, "sqlstate", None)
    if state in _POSTGRESQL_NO_ROOM:
        return FULL
    # Without a code the server was not reached at all.
    return AWAY if state is None or state.startswith(_POSTGRESQL_AWAY) else None
