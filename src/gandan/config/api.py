"""The interface for other programs: the rooms' operations beneath /api/v1/, and their description."""

from functools import cache
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.urls import URLPattern, path

from gandan.access import interface
from gandan.access.decorators import public
from gandan.cases import api as cases
from gandan.obligations import api as obligations
from gandan.portal import api as portal
from gandan.units import api as units

PREFIX = "/api/v1/"
DESCRIPTION = (
    "Units through time, procedures and terms with their law, results as open data, the working calendar; "
    "bringing something and following it; the worklist for those who are signed in. Texts come in the language "
    "of Accept-Language (vi, en). Refusals are sentences as application/problem+json."
)
_ROUTERS = (portal.router, cases.router, obligations.router, units.router)
_API = interface.interface("1.0", DESCRIPTION, [("", router) for router in _ROUTERS])


@public("what the interface offers is published")
def description(request: HttpRequest) -> HttpResponse:
    """The OpenAPI description of every operation."""
    response = JsonResponse(document(), json_dumps_params={"ensure_ascii": False})
    response["Access-Control-Allow-Origin"] = "*"
    response["Cross-Origin-Resource-Policy"] = "cross-origin"
    return response


description.refuse = interface.refuse  # type: ignore[attr-defined]


@cache
def document() -> dict[str, Any]:
    """Return the OpenAPI description as plain values."""
    return interface.document(_API, _ROUTERS, PREFIX, settings.SESSION_COOKIE_NAME)


def addresses() -> list[URLPattern]:
    """Return the addresses of the interface, for `urls`."""
    inside = PREFIX.lstrip("/")
    return [
        path(f"{inside}openapi.json", description, name="api_description"),
        *interface.mount(_API, _ROUTERS, inside),
    ]
