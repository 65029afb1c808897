"""A whole page, or only the part of it that htmx asked for."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.cache import patch_vary_headers

_ASKS = ("HX-Request-Type", "HX-History-Restore-Request")


def wants_fragment(request: HttpRequest) -> bool:
    """Say whether the reader's browser will put the answer into the page that it already shows."""
    kind, restores = (request.headers.get(name, "") for name in _ASKS)
    return kind == "partial" and restores != "true"


def render_page(
    request: HttpRequest, template: str, fragment: str, context: dict[str, Any], status: int = 200
) -> HttpResponse:
    """Return the page `template`, or its included part `fragment` when htmx asks for that alone."""
    response = render(request, fragment if wants_fragment(request) else template, context, status=status)
    patch_vary_headers(response, _ASKS)
    return response
