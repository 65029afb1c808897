from typing import Any

from allauth.account.views import LoginView
from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from gandan.access import Refused, now
from gandan.access.decorators import public, signed_in
from gandan.accounts import actions, guessing, recent, sessions
from gandan.accounts.forms import NewPasswordForm, passkeys_work
from gandan.accounts.sessions import SEEN

_STATUS = {"too_many": 429, "busy": 503}


class SignInView(LoginView):
    """Name and password; what was wrong is said with a status that a program understands too."""

    def form_invalid(self, form: Any) -> HttpResponse:
        codes = [error.code for error in form.non_field_errors().as_data()]
        response: HttpResponse = super().form_invalid(form)
        response.status_code = next((_STATUS[code] for code in codes if code in _STATUS), 422)
        if response.status_code == 503:
            response["Retry-After"] = "3"
        return response

    def get_context_data(self, **values: Any) -> dict[str, Any]:
        return super().get_context_data(**values) | {"passkeys": passkeys_work()}


@signed_in("one's own account")
def own_account(request: HttpRequest) -> HttpResponse:
    """One's own name, roles, password and second factor."""
    return render(request, "accounts/own_account.html")


@require_POST
@signed_in("keeping one's own session")
def keep_alive(request: HttpRequest) -> HttpResponse:
    """Say that somebody is still there; answer how many seconds are left."""
    request.session[SEEN] = now().timestamp()
    return JsonResponse({"seconds": sessions.idle_seconds(request.session)})


@signed_in("one's own sessions")
def own_sessions(request: HttpRequest) -> HttpResponse:
    """Where one is signed in."""
    found = sessions.places(request.user, request.session.session_key or "")  # type: ignore[arg-type]
    return render(request, "accounts/sessions.html", {"places": found, "others": len(found) > 1})


@require_POST
@signed_in("one's own sessions")
def end_own_sessions(request: HttpRequest) -> HttpResponse:
    """Sign out elsewhere: in one browser, or in all but this one."""
    here, only = request.session.session_key or "", request.POST.get("session", "")
    chosen = next((place for place in sessions.places(request.user, here) if str(place.id) == only), None)  # type: ignore[arg-type]
    if only and chosen is None:
        messages.info(request, _("This session had ended already."))
        return redirect("own_sessions")
    ended = sessions.end(
        user=request.user,  # type: ignore[arg-type]
        by=request.actor,  # type: ignore[attr-defined]
        only=chosen.id if chosen else None,
        but=here,
        reason="own",
    )
    messages.success(request, _("Signed out there.") if ended else _("You are signed in nowhere else."))
    return redirect("own_sessions")


@signed_in("going on with what one was sending")
def go_on(request: HttpRequest) -> HttpResponse:
    """Offer again the form that waited while the person proved who they are."""
    found = recent.kept(request)
    if found is None:
        return redirect(settings.LOGIN_REDIRECT_URL)
    shown = [(name, value) for name, value in found["fields"] if value.strip()]
    return render(request, "accounts/go_on.html", {"kept": found, "shown": shown})


@public("says whom to ask; nothing is typed and nothing is told")
def forgotten(request: HttpRequest) -> HttpResponse:
    """What to do without the password or the second factor."""
    return render(request, "accounts/forgotten.html")


@public("the random token in the address is the key")
def recover(request: HttpRequest, token: str) -> HttpResponse:
    """Choose a new password by a link from the administrator; then sign in as always, second factor included."""
    at = now()
    if not guessing.may_open_links(request, at):
        return _private(render(request, "429.html", status=429))
    link = actions.open_recovery(token)
    if link is None:
        guessing.link_closed(request, at)
        return _private(render(request, "accounts/recovery_closed.html", status=410))
    form = NewPasswordForm(request.POST or None, user=link.user)
    if request.method == "POST" and form.is_valid():
        try:
            actions.recover(token=token, password=form.cleaned_data["password"])
        except Refused as refusal:
            form.add_error(None, str(refusal))
        else:
            messages.success(request, _("The password was changed. Sign in with it now."))
            response = redirect("account_login")
            guessing.remember(request, response, link.user.username)
            return response
    status = 422 if form.errors else 200
    return _private(render(request, "accounts/recover.html", {"form": form, "person": link.user}, status=status))


def _private(response: HttpResponse) -> HttpResponse:
    response["Cache-Control"] = "no-store"
    return response
