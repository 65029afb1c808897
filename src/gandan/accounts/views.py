from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.views.decorators.http import require_POST

from gandan.access import now
from gandan.access.decorators import signed_in
from gandan.accounts.middleware import SEEN


@signed_in("one's own account")
def own_account(request: HttpRequest) -> HttpResponse:
    """One's own name, roles, password and second factor."""
    return render(request, "accounts/own_account.html")


@require_POST
@signed_in("keeping one's own session")
def keep_alive(request: HttpRequest) -> HttpResponse:
    """Say that somebody is still there; answer how many seconds are left."""
    request.session[SEEN] = now().timestamp()
    return JsonResponse({"seconds": settings.GANDAN_IDLE_SECONDS})
