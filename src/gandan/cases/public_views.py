"""The citizens' side: what can be brought, bringing it, and following it with a code and no account."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from django.contrib import messages
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from gandan.access import ANONYMOUS, Refused, now, today
from gandan.access.clock import VIETNAM, day_of
from gandan.access.decorators import public
from gandan.cases import actions, catalogue, files, follow, permissions, public_forms, repeats, sealing, uploads
from gandan.cases.desk_views import file_response, kinds_in_words
from gandan.cases.guessing import guesses
from gandan.cases.models import Case, CaseEvent, Draft, DraftFile, Procedure
from gandan.law.explanations import amount_words
from gandan.obligations import explain, terms, worklist
from gandan.obligations.models import Obligation
from gandan.secrecy.fields import unlock
from gandan.secrecy.middleware import source_of
from gandan.ui.headers import headers
from gandan.ui.views import too_many
from gandan.units.models import Unit


@public("procedures are published")
def procedures(request: HttpRequest) -> HttpResponse:
    """Everything that people bring, in groups."""
    grouped: dict[str, list[Procedure]] = {}
    for procedure in catalogue.current():
        grouped.setdefault(procedure.group, []).append(procedure)
    english = get_language() == "en"
    groups = [
        {
            "title": catalogue.group_name(group),
            "procedures": [
                {"code": p.code, "name": p.name, "summary": p.summary_en if english else p.summary_vi} for p in found
            ],
        }
        for group, found in grouped.items()
    ]
    return render(request, "cases/public/procedures.html", {"groups": groups})


@public("procedures are published")
def procedure(request: HttpRequest, code: str) -> HttpResponse:
    """One procedure: what to bring, cost, time, law, and the button that starts it."""
    found = catalogue.in_force(code)
    if found is None:
        raise Http404
    english = get_language() == "en"

    def told(amount: Any, term: Any) -> str:
        return amount_words(amount, term.unit, "en" if english else "vi") if amount else ""

    clocks = [
        {
            "name": t.name_en if english else t.name_vi,
            "amount": told(t.amount, t),
            "remote": told(t.remote_amount, t),
            "complex": told(t.complex_amount, t),
            "basis": t.basis_en if english else t.basis_vi,
            "ours": t.body in _OUR_BODIES,
            "yours": t.body == _THE_CITIZEN,
        }
        for t in terms.in_force(code, today())
    ]
    return render(
        request,
        "cases/public/procedure.html",
        {
            "procedure": found,
            "clocks": [clock for clock in clocks if not clock["yours"]],
            "your_clocks": [clock for clock in clocks if clock["yours"]],
            "summary": found.summary_en if english else found.summary_vi,
            "bring": found.bring_en if english else found.bring_vi,
            "cost": found.cost_en if english else found.cost_vi,
            "law": found.law_en if english else found.law_vi,
        },
    )


_OUR_BODIES = (terms.OURS, "forum")
"""The commune police owe what is promised at their forum, too; that clock is only kept by another room."""
_THE_CITIZEN = "applicant"
"""The body of a term that the person who comes must keep, not we."""

# Bringing something

STEPS = ("where", "what", "files", "who", "check")


@public("anybody may bring something")
def report(request: HttpRequest) -> HttpResponse:
    """Choose what to bring; the draft begins here."""
    kind = request.GET.get("kind", "")
    form = public_forms.KindForm(request.POST if request.method == "POST" else None, initial={"kind": kind})
    if request.method == "POST" and form.is_valid():
        unit = request.GET.get("unit", "")
        data: dict[str, Any] = {"kind": form.cleaned_data["kind"]}
        known = Unit.objects.filter(slug=unit, valid_to=None, level=Unit.Level.COMMUNE).first()
        if known is not None:
            data |= {"unit": known.slug, "place_name": known.title}
        draft = Draft.objects.create(data=data, begun_on=today())
        return redirect("report_step", draft=draft.pk, step="where" if known is None else "what")
    return render(
        request, "cases/public/report.html", {"form": form, "steps": _steps("")}, status=422 if form.errors else 200
    )


@public("reached only by the random address of one's own draft")
@headers(cache_control="no-store")
def report_step(request: HttpRequest, draft: UUID, step: str) -> HttpResponse:
    """One topic a page; everything typed so far is kept with the draft, so that no browser needs to keep it."""
    found = get_object_or_404(Draft.objects, pk=draft)
    unlock([found])
    if step not in STEPS:
        raise Http404
    if found.case_id is not None and request.method != "POST":
        return _sent_page(request, found)
    procedure = catalogue.in_force(found.data.get("kind", ""))
    if procedure is None:
        return redirect("report")
    missing = _first_missing(found, procedure)
    if missing and STEPS.index(missing) < STEPS.index(step) and found.case_id is None:
        return redirect("report_step", draft=found.pk, step=missing)
    if step == "check":
        return _check(request, found, procedure)
    if step == "files":
        return _files(request, found)
    form = _step_form(step, request, found, procedure)
    if request.method == "POST" and form.is_valid():
        repeats.keep(found, form.cleaned_data)
        following = STEPS[STEPS.index(step) + 1]
        return redirect("report_step", draft=found.pk, step=following)
    return _step_page(request, found, procedure, step, form)


def _step_form(step: str, request: HttpRequest, draft: Draft, procedure: Procedure) -> Any:
    data = request.POST if request.method == "POST" else None
    if step == "where":
        return public_forms.WhereForm(data, initial=draft.data)
    if step == "who":
        return public_forms.WhoForm(data, initial=draft.data, procedure=procedure)
    form_class: Any = public_forms.WhatForm
    if procedure.about_service:
        form_class = type("AboutWhatForm", (public_forms.WhatForm, public_forms.AboutForm), {})
    return form_class(data, initial=draft.data)


def _step_page(request: HttpRequest, draft: Draft, procedure: Procedure, step: str, form: Any) -> HttpResponse:
    back = (
        reverse("report") if step == "where" else reverse("report_step", args=[draft.pk, STEPS[STEPS.index(step) - 1]])
    )
    return render(
        request,
        "cases/public/step.html",
        {
            "form": form,
            "procedure": procedure,
            "step": step,
            "steps": _steps(step),
            "back": back,
            "title": _step_title(step),
        },
        status=422 if form.errors else 200,
    )


def _files(request: HttpRequest, draft: Draft) -> HttpResponse:
    form = public_forms.FilesForm(request.POST or None, request.FILES or None)
    if request.method == "POST":
        remove = request.POST.get("remove", "")
        if remove:
            draft.files.filter(sha256=remove).delete()
            return redirect("report_step", draft=draft.pk, step="files")
        if form.is_valid() and form.cleaned_data["file"]:
            try:
                if draft.files.count() >= uploads.FILES:
                    raise Refused(_("Five files are enough. Take one away before you add another."))
                sealing.add_to_draft(draft, uploads.receive(form.cleaned_data["file"]))
            except Refused as refusal:
                form.add_error("file", str(refusal))
            else:
                following = "who" if "go" in request.POST else "files"
                return redirect("report_step", draft=draft.pk, step=following)
        elif not form.errors and "add" in request.POST:
            form.add_error("file", _("Choose the photo or file to add, or continue without one."))
        elif not form.errors:
            return redirect("report_step", draft=draft.pk, step="who")
    return render(
        request,
        "cases/public/files.html",
        {
            "form": form,
            "files": _files_of(draft),
            "draft": draft,
            "steps": _steps("files"),
            "title": _step_title("files"),
            "back": reverse("report_step", args=[draft.pk, "what"]),
        },
        status=422 if form.errors else 200,
    )


def _check(request: HttpRequest, draft: Draft, procedure: Procedure) -> HttpResponse:
    unit = Unit.objects.filter(slug=draft.data.get("unit", "")).first()
    if request.method == "POST":
        return _send(request, draft, procedure, unit)
    data = draft.data
    return render(
        request,
        "cases/public/check.html",
        {
            "draft": draft,
            "procedure": procedure,
            "unit": unit,
            "data": data,
            "files": _files_of(draft),
            "anonymous": data.get("anonymous") == "yes",
            "steps": _steps("check"),
            "title": _step_title("check"),
            "back": reverse("report_step", args=[draft.pk, "who"]),
        },
    )


def _send(request: HttpRequest, draft: Draft, procedure: Procedure, unit: Unit | None) -> HttpResponse:
    data, attached = draft.data, _files_of(draft)
    lost = [row.pk for row in attached if not files.path_of(row.sha256).exists()]
    if lost:
        draft.files.filter(pk__in=lost).delete()
        messages.error(request, _("A file could not be kept. Add it again, or send the rest without it."))
        return redirect("report_step", draft=draft.pk, step="files")
    if draft.case_id is not None:
        return _send_again(request, draft)
    if unit is None:
        return redirect("report_step", draft=draft.pk, step="where")
    try:
        receipt = actions.receive(
            submission=draft.pk,
            procedure=procedure,
            unit=unit,
            channel=Case.Channel.WEB,
            text=data.get("text", ""),
            place=data.get("place", ""),
            anonymous=data.get("anonymous") == "yes",
            by=ANONYMOUS,
            identity={name: data.get(name, "") for name in ("name", "phone", "address")},
            language=get_language() or "vi",
            files=[sealing.of_draft(draft, row) for row in attached],
            concern={"unit": unit, "named": data.get("named", "")} if procedure.about_service else None,
        )
    except actions.Conflict as conflict:
        return _other_words(request, conflict)
    with transaction.atomic():
        draft.case, draft.data = receipt.case, {"kind": data.get("kind", "")}
        draft.save(update_fields=["case", "data"])
        draft.files.all().delete()
    return _receipt(request, receipt)


def _sent_page(request: HttpRequest, draft: Draft) -> HttpResponse:
    """Say that a draft has been sent, and show what was changed in it since: that has reached nobody yet."""
    change = repeats.change_of(draft, repeats.case_of(draft))
    return render(request, "cases/public/sent_before.html", {"draft": draft, "change": change})


def _send_again(request: HttpRequest, draft: Draft) -> HttpResponse:
    """Answer a form that was sent before: what was changed since goes to the same matter; otherwise the answer to the
    first sending was lost on the way, and the same receipt is shown again."""
    case = repeats.case_of(draft)
    change = repeats.Change() if "leave" in request.POST else repeats.change_of(draft, case)
    if change:
        try:
            repeats.send(draft, case, change)
        except actions.Conflict as conflict:
            repeats.forget(draft)
            return _other_words(request, conflict)
    repeats.forget(draft)
    code = follow.again(case.submission, case.follow_hash, anonymous=case.anonymous)
    return _receipt(request, actions.Receipt(case, code, again=True))


def _other_words(request: HttpRequest, conflict: actions.Conflict) -> HttpResponse:
    return render(request, "cases/public/other_words.html", {"sentence": str(conflict)}, status=409)


def _files_of(draft: Draft) -> list[DraftFile]:
    rows = list(draft.files.order_by("pk"))
    unlock(rows)
    return rows


def _receipt(request: HttpRequest, receipt: actions.Receipt) -> HttpResponse:
    owed = Obligation.system("receipt").open().filter(matter=receipt.case.pk).select_related("term").order_by("due_at")
    response = render(
        request,
        "cases/public/receipt.html",
        {
            "receipt": receipt,
            "case": receipt.case,
            "owed": [{"name": explain.name(o), "due_at": o.due_at} for o in owed],
        },
    )
    response["Cache-Control"] = "no-store"
    return response


def _first_missing(draft: Draft, procedure: Procedure) -> str:
    data = draft.data
    if not data.get("unit"):
        return "where"
    if not data.get("text"):
        return "what"
    optional = procedure.identity == Procedure.Identity.OPTIONAL
    if (optional and not data.get("anonymous")) or (not optional and not data.get("name")):
        return "who"
    return ""


def _steps(current: str) -> list[dict[str, Any]]:
    at = STEPS.index(current) if current in STEPS else -1
    return [
        {"title": _step_title(step), "state": "current" if i == at else "done" if i < at else ""}
        for i, step in enumerate(STEPS)
    ]


def _step_title(step: str) -> str:
    return {
        "where": _("Where"),
        "what": _("What happened"),
        "files": _("Photos and files"),
        "who": _("Your name"),
        "check": _("Check and send"),
    }[step]


# Following it


@public("the code is the key; it travels in the body of a POST only")
def follow_case(request: HttpRequest) -> HttpResponse:
    """Enter the code; see who has the matter and until when; write, supply, rate, reopen or withdraw."""
    form = public_forms.CodeForm(request.POST or None)
    if request.method != "POST" or not form.is_valid():
        return render(request, "cases/public/follow.html", {"form": form}, status=422 if form.errors else 200)
    source = source_of(request)
    at = now()
    if not guesses.begin(source, at):
        return too_many(request)
    code = follow.clean(form.cleaned_data["code"])
    case = _find(code)
    if case is None:
        guesses.wrong(at)
        form.add_error("code", _("We find no matter with this code. Check the 16 digits on your receipt."))
        return render(request, "cases/public/follow.html", {"form": form}, status=422)
    guesses.right(source, at)
    do = request.POST.get("do", "")
    if do in _DOINGS:
        failed = _DOINGS[do](request, case)
        case = _find(code)
        if case is None:
            raise Http404
        return _followed(request, case, code, failed)
    return _followed(request, case, code, {})


@require_POST
@public("the code is the key; it travels in the body of a POST only")
def follow_file(request: HttpRequest, file: UUID) -> HttpResponse:
    source, at = source_of(request), now()
    if not guesses.begin(source, at):
        return too_many(request)
    case = _find(follow.clean(request.POST.get("code", "")))
    if case is None:
        guesses.wrong(at)
        raise Http404
    guesses.right(source, at)
    return file_response(get_object_or_404(case.attachments.filter(shown=True), pk=file))


def _find(code: str) -> Case | None:
    if not code:
        return None
    rows = Case.system("follow-code").select_related("procedure", "holder", "officer")
    found: Case | None = rows.filter(follow_hash__in=follow.lookups(code)).first()
    return found


def _followed(request: HttpRequest, case: Case, code: str, failed: dict[str, Any]) -> HttpResponse:
    at = now()
    owed = Obligation.system("follow-code").filter(matter=case.pk).select_related("term").order_by("due_at")
    promises = [
        {
            "obligation": o,
            "clock": worklist.state_of(o, at),
            "name": explain.name(o),
            "basis": explain.basis(o),
            "lines": explain.lines(o),
        }
        for o in owed
    ]
    running = [p for p in promises if p["obligation"].discharged_at is None]
    paused = [p for p in running if p["obligation"].suspended_for == actions.MISSING_PAPERS]
    events, files = list(case.events.filter(shown=True)), list(case.attachments.filter(shown=True))
    papers = case.waiting_request()
    sealing.open_words(case, events, files, [papers] if papers else [], opened=follow.opened_by(code, case))
    response = render(
        request,
        "cases/public/matter.html",
        {
            "case": case,
            "code": code,
            "promises": promises,
            "lead": running[0] if running else None,
            "state": case.get_state(),
            "timeline": [_shown(event) for event in events],
            "papers": papers,
            "is_paused": bool(paused),
            "files": files,
            "message_form": failed.get("message") or public_forms.MessageForm(auto_id="message_%s"),
            "supply_form": failed.get("supply") or public_forms.SupplyForm(auto_id="supply_%s"),
            "reopen_form": failed.get("reopen") or public_forms.MessageForm(auto_id="reopen_%s"),
            "rating_form": failed.get("rate") or public_forms.RatingForm(auto_id="rate_%s"),
            "may_rate": permissions.rate(case) is None,
            "may_reopen": case.answered_at is not None and not case.withdrawn_at,
            "token": uuid4(),
            "forms": list(failed.values()),
        },
        status=422 if failed else 200,
    )
    response["Cache-Control"] = "no-store"
    return response


def _shown(event: CaseEvent) -> dict[str, Any]:
    text = event.text
    facts = event.facts
    if event.kind == CaseEvent.Kind.ASKED:
        text = "\n".join([*(f"– {item}" for item in facts.get("items", [])), text]).strip()
    elif event.kind == CaseEvent.Kind.SUCCEEDED:
        text = _("%(from)s was merged; %(to)s has your matter now, with the same date.") % {
            "from": facts.get("from", ""),
            "to": facts.get("to", ""),
        }
    elif event.kind == CaseEvent.Kind.MOVED_UP:
        text = _("Nobody of %(from)s may deal with it any more; %(to)s has your matter now, with the same date.") % {
            "from": facts.get("from", ""),
            "to": facts.get("to", ""),
        }
    elif event.kind == CaseEvent.Kind.CORRECTED:
        text = "\n".join([kinds_in_words(facts), text])
    elif event.kind == CaseEvent.Kind.EXTENDED:
        text = "\n".join([text, *_new_date(facts.get("due_at"))])
    elif event.kind == CaseEvent.Kind.APOLOGISED:
        text = "\n".join([text, *_new_date(facts.get("new_date"))])
    elif event.kind in (CaseEvent.Kind.SENT, CaseEvent.Kind.PASSED_ON) and facts.get("to"):
        text = "\n".join(part for part in (facts["to"], text) if part)
    if event.recorded_at - event.at > _WRITTEN_LATER:
        later = _("Written down on %(at)s.") % {"at": f"{event.recorded_at.astimezone(VIETNAM):%d/%m/%Y, %H:%M}"}
        text = "\n".join(part for part in (text, later) if part)
    by = event.actor_name if event.kind in (CaseEvent.Kind.TAKEN, CaseEvent.Kind.ANSWERED) else ""
    return {"at": event.at, "title": event.get_kind_display(), "text": text, "by": by}


def _new_date(due_at: str | None) -> list[str]:
    """Return the line that names a new date; the midnight that ends a day is told as that day."""
    if not due_at:
        return []
    local = datetime.fromisoformat(due_at).astimezone(VIETNAM)
    if (local.hour, local.minute) == (0, 0):
        date = f"{day_of(local - timedelta(minutes=1)):%d/%m/%Y}"
    else:
        date = f"{local:%d/%m/%Y, %H:%M}"
    return [_("New date: %(date)s") % {"date": date}]


_WRITTEN_LATER = timedelta(minutes=15)
"""A line that was written down later than this after it happened says so."""


def _do_message(request: HttpRequest, case: Case) -> dict[str, Any]:
    form = public_forms.MessageForm(request.POST, request.FILES, auto_id="message_%s")
    again = _("Your message is with the unit.")
    return _with_message(request, case, "message", form, CaseEvent.Kind.MESSAGE_IN, _write, again)


def _do_supply(request: HttpRequest, case: Case) -> dict[str, Any]:
    form = public_forms.SupplyForm(request.POST, request.FILES, auto_id="supply_%s")
    again = _("Your papers are with the unit.")
    # What comes from a page that still asks for the papers, after they have come, goes along as a message.
    shown_at, perform = ("supply", _supply) if case.asked_at else ("message", _write)
    return _with_message(request, case, shown_at, form, CaseEvent.Kind.SUPPLIED, perform, again)


def _do_reopen(request: HttpRequest, case: Case) -> dict[str, Any]:
    form = public_forms.MessageForm(request.POST, request.FILES, auto_id="reopen_%s")
    again = _("Your matter is open again, with a new date.")
    # So does what comes for a matter that is open already.
    is_open = case.answered_at is None and not case.is_ended
    shown_at, perform = ("message", _write) if is_open else ("reopen", _reopen)
    return _with_message(request, case, shown_at, form, CaseEvent.Kind.REOPENED, perform, again)


def _with_message(
    request: HttpRequest,
    case: Case,
    shown_at: str,
    form: Any,
    kind: str,
    perform: Callable[[Case, str, list[files.File]], str],
    again: str,
) -> dict[str, Any]:
    """Do what was sent with words and a file, and tell what became of it, or `again` where it is a second click.
    Returns the form by the name of the place that shows it, if something in it must be put right."""
    if not form.is_valid():
        return {shown_at: form}
    text, upload = form.cleaned_data["text"], form.cleaned_data["file"]
    try:
        sent = [uploads.receive(upload)] if upload else []
        told = again if repeats.is_second_click(case, kind, text, sent) else perform(case, text, sent)
    except Refused as refusal:
        form.add_error(None, str(refusal))
        return {shown_at: form}
    messages.success(request, told)
    return {}


def _write(case: Case, text: str, sent: list[files.File]) -> str:
    actions.message_in(case=case, text=text, by=ANONYMOUS, files=sent)
    return _("Your message is with the unit.")


def _supply(case: Case, text: str, sent: list[files.File]) -> str:
    waiting = Obligation.system("follow-code").waiting().filter(matter=case.pk)
    paused = waiting.filter(suspended_for=actions.MISSING_PAPERS).exists()
    actions.supply(case=case, text=text, by=ANONYMOUS, files=sent, from_citizen=True)
    if paused:
        return _("Your papers are with the unit; the clock runs on.")
    return _("Your papers are with the unit.")


def _reopen(case: Case, text: str, sent: list[files.File]) -> str:
    actions.reopen(case=case, text=text, by=ANONYMOUS, from_citizen=True, files=sent)
    return _("Your matter is open again, with a new date.")


def _do_rate(request: HttpRequest, case: Case) -> dict[str, Any]:
    form = public_forms.RatingForm(request.POST, auto_id="rate_%s")
    if not form.is_valid():
        return {"rate": form}
    told = {"yes": True, "no": False}.get(form.cleaned_data["told"])
    try:
        actions.rate(case=case, score=int(form.cleaned_data["score"]), told_until_when=told, by=ANONYMOUS)
    except Refused as refusal:
        messages.error(request, str(refusal))
    else:
        messages.success(request, _("Thank you. Your score is kept without any link to you or to this matter."))
    return {}


def _do_withdraw(request: HttpRequest, case: Case) -> dict[str, Any]:
    try:
        actions.withdraw(case=case, by=ANONYMOUS)
    except Refused as refusal:
        messages.error(request, str(refusal))
    else:
        messages.success(request, _("You have taken the matter back."))
    return {}


_DOINGS = {
    "message": _do_message,
    "supply": _do_supply,
    "reopen": _do_reopen,
    "rate": _do_rate,
    "withdraw": _do_withdraw,
}
