"""What a request leaves in the record beside what its actions write: refusals, and who opened which matter."""

from collections.abc import Callable
from datetime import datetime, timedelta
from threading import Lock
from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse

from gandan.access import Actor, now
from gandan.access.middleware import rule_of
from gandan.audit.actions import record_apart, writing_afterwards

AGAIN = timedelta(minutes=15)
"""Opening the same matter again within this time is the same reading."""
_REMEMBERED = 20_000
_TOLD_BY_THEIR_ROOM = {"case"}
"""Arguments of views whose room writes each reading itself, with the part that was read."""


class RecordMiddleware:
    """Stands outside the door of `access`, so that it sees every answer that the door gives."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response
        self._read: dict[tuple[UUID | None, UUID | None], datetime] = {}
        self._lock = Lock()

    def __call__(self, request: HttpRequest) -> HttpResponse:
        with writing_afterwards():
            response = self.get_response(request)
            actor = getattr(request, "actor", None)
            if actor is not None and request.resolver_match is not None:
                self._tell(request, response, actor)
            return response

    def _tell(self, request: HttpRequest, response: HttpResponse, actor: Actor) -> None:
        """Write down a refusal to somebody signed in, or that they opened one matter."""
        match = request.resolver_match
        assert match is not None
        rule = rule_of(match.func, match.view_name)
        if rule is None or rule[0] != "needs" or actor.is_anonymous:
            return
        name, thing = next(((k, v) for k, v in match.kwargs.items() if isinstance(v, UUID)), ("", None))
        about = {"object_id": thing, "reason": f"{request.method} {match.view_name}"[:120]}
        if response.status_code == 403:
            record_apart("access.refused", by=actor, capability=rule[1], **about)
        elif response.status_code == 404 and thing is not None:
            # Out of reach and not there look alike to the one who asks; not to the auditor.
            record_apart("access.not_found", by=actor, capability=rule[1], **about)
        elif request.method == "GET" and response.status_code == 200 and self._is_new(actor.user_id, name, thing):
            record_apart("access.read", by=actor, capability=rule[1], **about)

    def _is_new(self, person: UUID | None, name: str, thing: UUID | None) -> bool:
        if thing is None or name in _TOLD_BY_THEIR_ROOM:
            return False
        at: Any = now()
        with self._lock:
            before = self._read.get((person, thing))
            if before is not None and timedelta(0) <= at - before < AGAIN:
                return False
            if len(self._read) >= _REMEMBERED:
                self._read.clear()
            self._read[person, thing] = at
            return True
