"""The officers' side of a matter."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from io import BytesIO
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.contrib import messages
from django.db.models import Q
from django.http import FileResponse, Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import get_language, gettext_lazy
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from gandan.access import Actor, Refused, now
from gandan.access.authority import authority
from gandan.access.clock import VIETNAM, day_of
from gandan.access.decorators import needs
from gandan.accounts.models import User
from gandan.audit.models import AuditEntry
from gandan.cases import (
    actions,
    catalogue,
    concern_forms,
    concerns,
    desk_forms,
    files,
    holds,
    permissions,
    receipts,
    sealing,
    search,
    uploads,
)
from gandan.cases.actions import intake
from gandan.cases.models import Case, CaseEvent, CaseIdentity, Transfer
from gandan.obligations import explain, worklist
from gandan.obligations.models import Obligation
from gandan.secrecy.fields import unlock
from gandan.secrecy.models import Disclosure
from gandan.secrecy.vault import Unopened
from gandan.ui import cursors
from gandan.ui.fragments import render_page
from gandan.units.models import Unit

PAGE = 25
MANY = 1000

# The list


@needs("case.read")
def case_list(request: HttpRequest) -> HttpResponse:
    """All matters in reach, newest first; what is on its way here stands apart."""
    actor = request.actor  # type: ignore[attr-defined]
    view = request.GET.get("view", "all")
    if view not in _VIEWS:
        raise Http404
    form = desk_forms.FilterForm(request.GET or None, units=units_in_reach(actor, "case.read"), actor=actor)
    chosen = {n: v for n, v in form.cleaned_data.items() if v} if form.is_valid() else {}
    rows = _narrowed(_viewed(actor, view), chosen, actor)
    address = {name: getattr(value, "slug", value) for name, value in chosen.items()}
    digest = f"desk|{actor.user_id}|{view}|{sorted(address.items())}"
    if after := request.GET.get("after", ""):
        try:
            at, last = cursors.read(after, digest)
        except cursors.WrongCursor:
            return redirect(_list_url(view, address))
        rows = rows.filter(received_at__lte=at).filter(Q(received_at__lt=at) | Q(pk__gt=last))
    found = list(rows.select_related("procedure", "holder", "officer").order_by("-received_at", "pk")[: PAGE + 1])
    next_url = ""
    if len(found) > PAGE:
        found = found[:PAGE]
        after = cursors.sign([found[-1].received_at.isoformat(), str(found[-1].pk)], digest)
        next_url = _list_url(view, {**address, "after": after})
    context = {
        "rows": [{"case": each, "tone": _TONES.get(each.state, "")} for each in found],
        "shows_unit": "unit" in form.fields or len({each.holder_id for each in found}) > 1 or view == "arriving",
        "filter_form": form,
        "forms": [form] if form.errors else [],
        "view": view,
        "pills": _pills(actor, view, address),
        "hidden": [("view", view)] if view != "all" else [],
        "next_url": next_url,
        "active": ", ".join(_in_words(form, chosen)),
        "plain_url": _list_url(view, {}),
        "may_receive": actor.can("case.receive"),
    }
    return render_page(request, "cases/desk/list.html", "cases/desk/list_rows.html", context)


_VIEWS: dict[str, str | Promise] = {
    "all": gettext_lazy("All"),
    "unfinished": gettext_lazy("Not answered yet"),
    "mine": gettext_lazy("Mine, not answered yet"),
    "arriving": gettext_lazy("On their way to us"),
}


def _viewed(actor: Actor, view: str) -> Any:
    if view == "arriving":
        return Case.system("arriving").filter(pk__in=Transfer.arriving(actor).values("case"))
    rows = Case.for_(actor, "case.read")
    if view == "mine":
        return rows.unfinished().filter(officer=actor.user_id)
    return rows.unfinished() if view == "unfinished" else rows


def _narrowed(rows: Any, chosen: dict[str, Any], actor: Actor) -> Any:
    if "state" in chosen:
        rows = getattr(rows, chosen["state"])()
    if "procedure" in chosen:
        rows = rows.filter(procedure__code=chosen["procedure"])
    if "unit" in chosen:
        rows = rows.filter(holder=chosen["unit"])
    match chosen.get("officer"):
        case None:
            pass
        case "me":
            rows = rows.filter(officer=actor.user_id)
        case "nobody":
            rows = rows.filter(officer=None)
        case key:
            rows = rows.filter(officer=key)
    return search.matching(rows, chosen.get("q", ""))


def _pills(actor: Actor, view: str, address: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the ready-made views with their counts, counted up to a thousand and one."""
    return [
        {
            "title": title,
            "count": None if name == "all" else _viewed(actor, name).order_by()[: MANY + 1].count(),
            "url": _list_url(name, address),
            "current": name == view,
            "late": name == "arriving",
        }
        for name, title in _VIEWS.items()
        if name != "arriving" or actor.can("case.receive")
    ]


def _list_url(view: str, values: dict[str, Any]) -> str:
    kept = {"view": view, **values} if view != "all" else values
    return f"{reverse('case_list')}?{urlencode(kept)}" if kept else reverse("case_list")


def _in_words(form: Any, chosen: dict[str, Any]) -> list[str]:
    """Return the chosen filters as they read in the form."""
    words = []
    for name, value in chosen.items():
        names: dict[str, Any] = {}
        for key, label in getattr(form.fields[name], "choices", []) if name != "unit" else []:
            names |= dict(label) if isinstance(label, list) else {str(key): label}
        words.append(str(names.get(str(value), value)))
    return words


# Receiving


@needs("case.receive")
def case_intake(request: HttpRequest) -> HttpResponse:
    """Record what somebody brings to the desk or by phone; the answer is the receipt, with the code."""
    actor = request.actor  # type: ignore[attr-defined]
    form = desk_forms.IntakeForm(
        request.POST or None,
        units=units_in_reach(actor, "case.receive"),
        moment=now(),
        may_settle=bool(actor.reach("case.settle")),
        inspecting=not actor.reach("case.receive"),
    )
    status, before, question = 200, None, ""
    if request.method == "POST":
        status = 422
        if form.is_valid():
            try:
                return _receipt_page(request, _received(request, form, actor), sent=True)
            except intake.SameWords as asked:
                status, before, question = 409, asked.case, str(asked)
                form.renew(asked.case)
            except actions.Conflict as conflict:
                status, before = 409, conflict.case
                form.add_error(None, str(conflict))
                if form.cleaned_data.get("settled"):
                    form.add_error("settled", _("The answer typed here was not kept."))
            except intake.NotKept as refusal:
                status, before = 409, refusal.case
                form.add_error("settled", str(refusal))
            except Refused as refusal:
                form.add_error(None, str(refusal))
    context = {"form": form, "before": before, "question": question, "may_open": _may_open(actor, before)}
    return render(request, "cases/desk/intake.html", context, status=status)


def _may_open(actor: Actor, case: Case | None) -> bool:
    """Say whether somebody may open a matter: who records a complaint about the own unit does not see what becomes
    of it."""
    return case is not None and Case.for_(actor, "case.read").filter(pk=case.pk).exists()


def _received(request: HttpRequest, form: desk_forms.IntakeForm, actor: Actor) -> actions.Receipt:
    data = form.cleaned_data
    procedure = catalogue.in_force(data["procedure"], day_of(data["moment"]))
    if procedure is None:
        raise Refused(_("This procedure was not in force on that day."))
    matter = {
        "submission": data["submission"],
        "procedure": procedure,
        "unit": _post(actor) if form.inspecting else data["unit"],
        "channel": data["channel"],
        "text": data["text"],
        "place": data["place"],
        "anonymous": data["anonymous"],
        "received_at": data["moment"],
        "identity": {name: data[name] for name in ("name", "phone", "address")},
        "concern": form.concern,
        "language": request.LANGUAGE_CODE,
        "complex": data.get("complex", False),
    }
    answer = data.get("settled", "").strip()
    if data["same_as"]:
        return intake.same_matter(first=data["same_as"], answer=answer, by=actor, **matter)
    if not data["another"]:
        actions.recorded_lately(by=actor, **matter)
    if answer:
        return actions.settle_on_the_spot(answer=answer, by=actor, **matter)
    return actions.receive(by=actor, **matter)


def _post(actor: Actor) -> Unit:
    """Return the unit at which an inspector receives: his own, whichever unit the matter is about."""
    found: Unit = Unit.objects.get(pk=next(g.unit_id for g in actor.grants if "case.receive" in g.capabilities))
    return found


@needs("case.read")
def case_receipt(request: HttpRequest, case: UUID) -> HttpResponse:
    """Print the receipt again. The code stood on the first one only."""
    actor = request.actor  # type: ignore[attr-defined]
    found = find_case(actor, case)
    actions.record_reading(case=found, by=actor)
    return _receipt_page(request, actions.Receipt(found, "", again=True), sent=False)


def _receipt_page(request: HttpRequest, receipt: actions.Receipt, *, sent: bool) -> HttpResponse:
    actor = request.actor  # type: ignore[attr-defined]
    response = render(
        request,
        "cases/desk/receipt.html",
        {
            "receipt": receipt,
            "slip": receipts.slip(receipt.case),
            "sent": sent,
            "follow_url": request.build_absolute_uri(reverse("follow")),
            "may_open": _may_open(actor, receipt.case),
        },
    )
    response["Cache-Control"] = "no-store"
    return response


# One matter


@needs("case.read")
def case(request: HttpRequest, case: UUID) -> HttpResponse:
    """One matter: its clocks and their reasons, its owner, what happened, and what can be done now."""
    actor = request.actor  # type: ignore[attr-defined]
    found = find_case(actor, case)
    actions.record_reading(case=found, by=actor)
    return matter_page(request, found)


@needs("case.read")
def case_file(request: HttpRequest, case: UUID, file: UUID) -> Any:
    """Hand out a file as a download that can run nothing."""
    actor = request.actor  # type: ignore[attr-defined]
    found = find_case(actor, case)
    attachment = get_object_or_404(found.attachments.all(), pk=file)
    if not sealing.may_read_words(actor, found):
        raise Refused(_("This matter is sealed: only those who work on it open its files."))
    actions.record_reading(case=found, by=actor, part=f"file:{attachment.pk.hex}")
    return file_response(attachment)


def file_response(attachment: Any) -> Any:
    """Return a kept file as a download without a life of its own."""
    unlock([attachment])
    try:
        stream: Any = (
            files.path_of(attachment.sha256).open("rb")
            if attachment.sealed_with is None
            else BytesIO(sealing.bytes_of(attachment))
        )
    except (FileNotFoundError, Unopened):
        raise Http404 from None
    response = FileResponse(stream, as_attachment=True, filename=attachment.name, content_type=attachment.media_type)
    response["Content-Security-Policy"] = "sandbox; default-src 'none'"
    response["X-Content-Type-Options"] = "nosniff"
    response["Cache-Control"] = "private, no-store"
    return response


# What can be done


@dataclass(frozen=True, slots=True)
class Act:
    """One thing that can be done to a matter: its name on the button, who may try, its form, and the doing."""

    title: Any
    capabilities: tuple[str, ...]
    perform: Callable[[Case, Actor, Any], str]
    """Do it with the valid form (None without one); return the sentence that says what was done."""
    form: Callable[..., Any] | None = None
    """Make the form from the case, the actor, the promises, and what was typed."""


def act(name: str) -> Any:
    """Return the view of one action: POST, then back to the matter. What cannot be done is said on the page
    itself, with everything that was typed."""
    doing = ACTIONS[name]

    @require_POST
    @needs(*doing.capabilities)
    def view(request: HttpRequest, case: UUID) -> HttpResponse:
        actor = request.actor  # type: ignore[attr-defined]
        found = find_case(actor, case)
        form = None
        try:
            if doing.form is not None:
                form = doing.form(found, actor, data=request.POST, files=request.FILES, auto_id=f"{name}_%s")
                if not form.is_valid():
                    return matter_page(request, found, name, form, status=422)
            done = doing.perform(found, actor, form)
        except Refused as refusal:
            # Somebody was faster, or it may not be: the page as it stands now, with the sentence.
            return matter_page(request, find_case(actor, case), name, form, str(refusal), status=409)
        messages.success(request, done)
        if not Case.for_(actor, "case.read").filter(pk=found.pk).exists():
            return redirect("case_list")
        return redirect("case", case=found.pk)

    view.__name__ = f"case_{name}"
    return view


def _text_form(label: Any, *, required: bool = True) -> Callable[..., Any]:
    def make(case: Case, actor: Actor, **options: Any) -> Any:
        options.pop("files", None)
        return desk_forms.TextForm(label=label, required=required, **options)

    return make


def _plain_form(form: Any, **fixed: Any) -> Callable[..., Any]:
    def make(case: Case, actor: Actor, **options: Any) -> Any:
        return form(**fixed, **options)

    return make


def _assign_form(case: Case, actor: Actor, **options: Any) -> Any:
    return desk_forms.AssignForm(case=case, by=actor, **options)


def _correct_form(case: Case, actor: Actor, **options: Any) -> Any:
    options.pop("files", None)
    return desk_forms.CorrectForm(case=case, **options)


def _concern_form(case: Case, actor: Actor, **options: Any) -> Any:
    # It lists colleagues, for those only who may choose among them.
    if reason := permissions.concern(case, actor):
        raise Refused(reason)
    options.pop("files", None)
    return concern_forms.ConcernForm(case=case, by=actor, **options)


def _extend_form(case: Case, actor: Actor, **options: Any) -> Any:
    rows = Obligation.for_(actor, "obligation.read").open().filter(matter=case.pk).select_related("term")
    return desk_forms.ExtendForm(obligations=list(rows.order_by("due_at", "pk")), **options)


def _take(case: Case, by: Actor, form: Any) -> str:
    actions.take(case=case, by=by)
    return _("You have this matter in hand now.")


def _accept(case: Case, by: Actor, form: Any) -> str:
    actions.accept(case=case, by=by, complex=form.cleaned_data["complex"])
    return _("The matter is accepted; the term of the decision runs.")


def _assign(case: Case, by: Actor, form: Any) -> str:
    actions.assign(case=case, officer=form.cleaned_data["officer"], by=by)
    return _("The matter is assigned to %(name)s.") % {"name": form.cleaned_data["officer"].title}


def _note(case: Case, by: Actor, form: Any) -> str:
    actions.note(case=case, text=form.cleaned_data["text"], by=by)
    return _("The note is written.")


def _message(case: Case, by: Actor, form: Any) -> str:
    actions.message_out(case=case, text=form.cleaned_data["text"], by=by)
    return _("The person sees the message under the code.")


def _ask(case: Case, by: Actor, form: Any) -> str:
    actions.ask_papers(case=case, items=form.cleaned_data["items"].splitlines(), text=form.cleaned_data["text"], by=by)
    return _("The person is asked for the missing papers; the clock is paused where the law lets it.")


def _supply(case: Case, by: Actor, form: Any) -> str:
    upload = form.cleaned_data["file"]
    sent = [uploads.receive(upload)] if upload else []
    actions.supply(case=case, by=by, text=form.cleaned_data["text"], files=sent, at=form.at)
    return _("The papers have come; the clock runs on.")


def _extend(case: Case, by: Actor, form: Any) -> str:
    promise, code = form.chosen
    ground, decision = form.cleaned_data["ground"], form.cleaned_data["decision"]
    actions.extend(case=case, obligation=promise, extension=code, ground=ground, decision=decision, by=by)
    return _("The term is extended; the person reads the ground and the new date.")


def _apologise(case: Case, by: Actor, form: Any) -> str:
    actions.apologise(case=case, text=form.cleaned_data["text"], new_date=form.end, by=by)
    return _("The apology and the new date are with the person.")


def _send(case: Case, by: Actor, form: Any) -> str:
    actions.send(case=case, by=by, **form.cleaned_data)
    return _("The matter is on its way. Our clock runs until the receiver acknowledges.")


def _recall(case: Case, by: Actor, form: Any) -> str:
    actions.recall(case=case, by=by)
    return _("The matter stays here; what was sent is taken back.")


def _acknowledge(case: Case, by: Actor, form: Any) -> str:
    actions.acknowledge(case=case, by=by, number=form.cleaned_data["number"], at=form.at)
    return _("The receipt is acknowledged.")


def _answer(case: Case, by: Actor, form: Any) -> str:
    text, outcome = form.cleaned_data["text"], form.cleaned_data["outcome"]
    actions.answer(case=case, text=text, outcome=outcome, at=form.at, by=by)
    return _("The answer is with the person.")


def _close(case: Case, by: Actor, form: Any) -> str:
    actions.close(case=case, by=by)
    return _("The matter is closed.")


def _reopen(case: Case, by: Actor, form: Any) -> str:
    actions.reopen(case=case, text=form.cleaned_data["text"], by=by)
    return _("The matter is open again, with a clock of its own.")


def _correct(case: Case, by: Actor, form: Any) -> str:
    ground, named = form.cleaned_data["ground"], form.cleaned_data["named"]
    actions.correct(case=case, procedure=form.procedure, ground=ground, named=named, by=by)
    return _("The kind is corrected; the person reads why, and the dates are counted again.")


def _withdraw(case: Case, by: Actor, form: Any) -> str:
    actions.withdraw(case=case, text=form.cleaned_data["text"], by=by)
    return _("The matter is withdrawn; its clocks have ended.")


def _concern(case: Case, by: Actor, form: Any) -> str:
    officer, reason = form.chosen, form.cleaned_data["reason"]
    after = concerns.name_officer(case=case, officer=officer, reason=reason, by=by)
    if officer.pk == by.user_id:
        return _whither(case, after, by)
    return _("It is written down; %(name)s cannot find or open this matter any more.") % {"name": officer.title}


def _recuse(case: Case, by: Actor, form: Any) -> str:
    return _whither(case, concerns.step_back(case=case, reason=form.cleaned_data["reason"], by=by), by)


def _whither(before: Case, after: Case, by: Actor) -> str:
    """Return the sentence that says who goes on with a matter; it names neither the matter nor anybody."""
    if not permissions.is_about_us(after, by):
        return _("You have stepped back. The matter lies with the unit again, for somebody else.")
    if after.holder_id != before.holder_id:
        return _("You have stepped back. The matter has gone on to the next inspector above.")
    if concerns.is_outside(after):
        return _("You have stepped back. The matter has gone, sealed, to the body outside.")
    if concerns.is_unread(after):
        return _("You have stepped back. No other inspector may read the matter yet: ask for one to be appointed.")
    return _("You have stepped back. Another inspector goes on with the matter.")


ACTIONS: dict[str, Act] = {
    "acknowledge": Act(
        gettext_lazy("Acknowledge receipt"),
        ("case.receive", "case.handover"),
        _acknowledge,
        _plain_form(desk_forms.AcknowledgeForm),
    ),
    "take": Act(gettext_lazy("Take it in hand"), ("case.take",), _take),
    "accept": Act(gettext_lazy("Accept formally"), ("case.take",), _accept, _plain_form(desk_forms.AcceptForm)),
    "answer": Act(
        gettext_lazy("Answer"),
        ("case.answer",),
        _answer,
        _plain_form(desk_forms.AnswerForm, label=gettext_lazy("Answer to the person")),
    ),
    "supply": Act(
        gettext_lazy("The papers have come"),
        ("case.note",),
        _supply,
        _plain_form(desk_forms.SupplyForm, label=gettext_lazy("What came"), required=False),
    ),
    "close": Act(gettext_lazy("Close"), ("case.close",), _close),
    "ask": Act(gettext_lazy("Ask for missing papers"), ("case.ask",), _ask, _plain_form(desk_forms.AskForm)),
    "message": Act(
        gettext_lazy("Write to the person"),
        ("case.note",),
        _message,
        _text_form(gettext_lazy("Message to the person")),
    ),
    "note": Act(
        gettext_lazy("Write a note"), ("case.note",), _note, _text_form(gettext_lazy("Note, for the unit only"))
    ),
    "assign": Act(gettext_lazy("Assign to an officer"), ("case.assign",), _assign, _assign_form),
    "send": Act(gettext_lazy("Send it where it belongs"), ("case.handover",), _send, _plain_form(desk_forms.SendForm)),
    "recall": Act(gettext_lazy("Take back what was sent"), ("case.handover",), _recall),
    "extend": Act(gettext_lazy("Extend the term"), ("case.extend",), _extend, _extend_form),
    "apologise": Act(
        gettext_lazy("Apologise and name a new date"),
        ("case.note",),
        _apologise,
        _plain_form(desk_forms.ApologyForm, label=gettext_lazy("Reason")),
    ),
    "correct": Act(gettext_lazy("Correct the kind"), ("case.assign",), _correct, _correct_form),
    "reopen": Act(gettext_lazy("Reopen"), ("case.assign",), _reopen, _text_form(gettext_lazy("What is not settled"))),
    "withdraw": Act(
        gettext_lazy("The person withdraws it"),
        ("case.note",),
        _withdraw,
        _text_form(gettext_lazy("What the person said"), required=False),
    ),
    "concern": Act(
        gettext_lazy("Write down an officer whom it is about"), ("concern.record",), _concern, _concern_form
    ),
    "recuse": Act(
        gettext_lazy("Step back from this matter"),
        ("case.note", "case.assign"),
        _recuse,
        _plain_form(concern_forms.RecuseForm),
    ),
}
"""In the order in which the page offers them: what moves the matter on comes first."""


def units_in_reach(actor: Actor, capability: str) -> Any:
    """Return the living units over which a capability reaches; to an inspector those that he watches."""
    reach = actor.reach(capability) or actor.concerned_reach(capability)
    rows = Unit.objects.filter(valid_to=None)
    if reach.everything:
        return rows.exclude(level=Unit.Level.COUNTRY).order_by("title", "pk")
    inside = Q(pk__in=reach.units)
    if reach.provinces:
        inside |= Q(pk__in=authority().units_under(reach.provinces))
    return rows.filter(inside).order_by("title", "pk")


def find_case(actor: Actor, case: UUID) -> Case:
    """Return a matter in reach, or one on its way to a unit in reach. Any other does not exist for the actor."""
    related = ("procedure", "holder", "received_by", "officer", "province")
    found: Case | None = Case.for_(actor, "case.read").select_related(*related).filter(pk=case).first()
    if found is None:
        arriving = Transfer.arriving(actor).filter(case=case)
        found = Case.system("arriving").select_related(*related).filter(pk__in=arriving.values("case")).first()
    if found is None:
        raise Http404
    return found


def matter_page(
    request: HttpRequest,
    case: Case,
    failed: str = "",
    failed_form: Any = None,
    refusal: str = "",
    status: int = 200,
    opened: dict[str, Any] | None = None,
) -> HttpResponse:
    """Return the page of a matter; `opened` holds the name where it has just been opened with a reason."""
    actor = request.actor  # type: ignore[attr-defined]
    at = now()
    owed = worklist.for_matter(actor, case.pk, at)
    running = sorted((pair for pair in owed if pair[0].discharged_at is None), key=_nearest)
    ours = permissions.may(case, actor, "case.read")
    events = list(case.events.all() if ours else case.events.filter(shown=True))
    attached, pending = list(case.attachments.all()), permissions.pending(case)
    papers = case.waiting_request()
    may_read = sealing.may_read_words(actor, case)
    if may_read:
        sealing.open_words(case, events, attached, [part for part in (papers, pending) if part is not None])
    identity = CaseIdentity.for_(actor, "case.identity").filter(case=case).first()
    offered, refused = _acts(case, actor, failed, failed_form)
    if refusal and failed_form is not None:
        failed_form.add_error(None, refusal)
    context = {
        "case": case,
        "ours": ours,
        "state": case.get_state(),
        "tone": _TONES.get(case.state, ""),
        "lead": running[0] if running else None,
        "owed": [
            {
                "obligation": promise,
                "clock": clock,
                "name": explain.name(promise),
                "basis": explain.basis(promise),
                "lines": explain.lines(promise),
            }
            for promise, clock in owed
        ],
        "about": concerns.about(case, readable=may_read) if ours else None,
        "identity": opened,
        "name_kept": identity is not None and opened is None,
        "reasons": Disclosure.Reason.choices,
        "identity_hidden": identity is None and CaseIdentity.system("presence").filter(case=case).exists(),
        "timeline": [_line(event) for event in events],
        "files": attached,
        "pending": pending,
        "papers": papers,
        "shut": not may_read,
        "offered": offered,
        "refused": refused,
        "refusal": refusal if failed_form is None else "",
        "holds": holds.in_force(case, actor) if actor.can("hold.read") else [],
        "may_hold": actor.can("hold.place") and permissions.hold(case, actor) is None,
        "form": failed_form,
        "readers": _readers(case) if ours else [],
    }
    return render(request, "cases/desk/case.html", context, status=status)


def _acts(case: Case, actor: Actor, failed: str, failed_form: Any) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Return what is offered now, each with its form, and what is not, each with its reason."""
    offered: list[dict[str, Any]] = []
    refused: list[dict[str, Any]] = []
    for name, doing in ACTIONS.items():
        if not any(actor.can(capability) for capability in doing.capabilities):
            continue
        reason = permissions.ALL[name](case, actor)
        form = None
        if doing.form is not None and (reason is None or name == failed):
            form = failed_form if name == failed else doing.form(case, actor, auto_id=f"{name}_%s")
        if reason is None and getattr(form, "is_idle", False):
            reason = _("The law gives no extension for what is owed here.")
        entry = {
            "name": name,
            "title": doing.title,
            "url": reverse(f"case_{name}", args=[case.pk]),
            "form": form,
            "open": name == failed,
            "why_not": reason,
        }
        # What somebody typed stays on the page, even when it can no longer be done.
        (offered if reason is None or (name == failed and form is not None) else refused).append(entry)
    return offered, refused


def _nearest(pair: tuple[Obligation, Any]) -> tuple[bool, datetime]:
    return (pair[0].suspended_at is not None, pair[0].due_at)


_TONES: dict[str, str] = {
    Case.State.NEW: "soon",
    Case.State.IN_HAND: "info",
    Case.State.WAITING: "soon",
    Case.State.ANSWERED: "ok",
    Case.State.CLOSED: "ok",
}


def _line(event: CaseEvent) -> dict[str, Any]:
    """Return one event as the timeline prints it."""
    Kind, facts = CaseEvent.Kind, event.facts
    parts = [event.text]
    match event.kind:
        case Kind.ASKED:
            parts = [*(f"– {item}" for item in facts.get("items", [])), event.text]
        case Kind.SUCCEEDED:
            parts = [f"{facts.get('from', '')} → {facts.get('to', '')} ({facts.get('decree', '')})"]
        case Kind.MOVED_UP:
            parts = [f"{facts.get('from', '')} → {facts.get('to', '')}"]
        case Kind.SENT | Kind.PASSED_ON | Kind.RECALLED | Kind.ACKNOWLEDGED:
            parts = [facts.get("to", ""), facts.get("number", ""), event.text]
        case Kind.EXTENDED:
            parts = [event.text, _("New date: %(date)s") % {"date": _due_words(facts.get("due_at", ""))}]
            parts += [facts["decision"]] if facts.get("decision") else []
        case Kind.APOLOGISED:
            parts = [event.text, _("New date: %(date)s") % {"date": _due_words(facts.get("new_date", ""))}]
            parts += [_("Given after the promised date had passed.")] if facts.get("late") else []
        case Kind.CORRECTED:
            parts = [kinds_in_words(facts), event.text]
            parts += [_("A promise of the former kind had passed its date.")] if facts.get("late") else []
        case Kind.MESSAGE_IN if facts.get("conflict"):
            parts = [_("The same form came again with other words:"), event.text]
    if (event.recorded_at - event.at).total_seconds() > _LATE_ENTRY:
        parts.append(_("Written down on %(at)s.") % {"at": _moment(event.recorded_at)})
    return {
        "at": event.at,
        "by": event.actor_name,
        "title": event.get_kind_display(),
        "text": "\n".join(part for part in parts if part),
        "told": _("the person") if event.shown else "",
    }


_MINUTE = timedelta(minutes=1)
_LATE_ENTRY = 15 * 60
"""Seconds after which an entry says when it was written down."""


def kinds_in_words(facts: dict[str, Any]) -> str:
    """Return which kind a matter was taken for and which it is, in the reader's language."""
    language = "en" if get_language() == "en" else "vi"
    return f"{facts.get(f'from_{language}', '')} → {facts.get(f'to_{language}', '')}"


def _moment(at: datetime) -> str:
    return f"{at.astimezone(VIETNAM):%d/%m/%Y, %H:%M}"


def _due_words(text: str) -> str:
    """Return a due instant in words: the midnight that ends a day is that day."""
    if not text:
        return ""
    local = datetime.fromisoformat(text).astimezone(VIETNAM)
    if (local.hour, local.minute) == (0, 0):
        return f"{day_of(local - _MINUTE):%d/%m/%Y}"
    return _moment(local)


def _readers(case: Case) -> list[dict[str, Any]]:
    """Return who read the matter and when, newest first."""
    entries = AuditEntry.system("readers").filter(object_id=case.pk, action="case.read").order_by("-seq")[:20]
    names = {user.pk: user.title for user in User.objects.filter(pk__in={entry.actor_id for entry in entries})}
    return [
        {"at": entry.at, "name": names.get(entry.actor_id, ""), "file": entry.reason.startswith("file:")}
        for entry in entries
    ]
