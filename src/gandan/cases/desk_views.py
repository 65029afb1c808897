"""The officers' side of a matter."""

from collections.abc import Callable
from datetime import datetime, time, timedelta
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.contrib import messages
from django.core import signing
from django.db.models import Q
from django.http import FileResponse, Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from gandan.access import Actor, Refused, now, today
from gandan.access.authority import authority
from gandan.access.clock import VIETNAM
from gandan.access.decorators import needs
from gandan.accounts.models import User
from gandan.audit.models import AuditEntry
from gandan.cases import actions, catalogue, desk_forms, permissions, search, uploads
from gandan.cases.models import Case, CaseEvent, CaseIdentity
from gandan.obligations import explain, worklist
from gandan.obligations.models import Obligation
from gandan.ui.fragments import render_page
from gandan.units.models import Unit, find

PAGE = 25


@needs("case.read")
def case_list(request: HttpRequest) -> HttpResponse:
    """All matters in reach, newest first."""
    actor = request.actor  # type: ignore[attr-defined]
    form = desk_forms.FilterForm(request.GET or None)
    rows = Case.for_(actor, "case.read").select_related("procedure", "holder", "officer")
    chosen = {}
    if form.is_valid():
        chosen = {name: value for name, value in form.cleaned_data.items() if value}
        if "q" in chosen:
            rows = search.matching(rows, chosen["q"])
        if "state" in chosen:
            rows = getattr(rows, chosen["state"])()
        if "procedure" in chosen:
            rows = rows.filter(procedure__code=chosen["procedure"])
    cursor = _read_cursor(request.GET.get("after", ""))
    if cursor:
        rows = rows.filter(received_at__lte=cursor[0]).filter(Q(received_at__lt=cursor[0]) | Q(pk__gt=cursor[1]))
    found = list(rows.order_by("-received_at", "pk")[: PAGE + 1])
    more = len(found) > PAGE
    found = found[:PAGE]
    following = ""
    if more:
        after = signing.dumps([found[-1].received_at.isoformat(), str(found[-1].pk)], salt="cases")
        following = f"{reverse('case_list')}?{urlencode({**chosen, 'after': after})}"
    return render_page(
        request,
        "cases/desk/list.html",
        "cases/desk/list_rows.html",
        {
            "rows": found,
            "filter_form": form,
            "chosen": chosen,
            "next_url": following,
            "may_receive": actor.can("case.receive"),
            "active": ", ".join(str(v) for v in chosen.values()),
        },
    )


@needs("case.receive")
def case_intake(request: HttpRequest) -> HttpResponse:
    """Record what somebody brings to the desk or by phone."""
    actor = request.actor  # type: ignore[attr-defined]
    form = desk_forms.IntakeForm(request.POST or None, units=units_in_reach(actor, "case.receive"), moment=now())
    if request.method == "POST" and form.is_valid():
        data = form.cleaned_data
        procedure = catalogue.in_force(data["procedure"], data["moment"].astimezone(VIETNAM).date())
        if procedure is None:
            form.add_error("procedure", _("This procedure was not in force on that day."))
        else:
            try:
                receipt = actions.receive(
                    submission=data["submission"],
                    procedure=procedure,
                    unit=data["unit"],
                    channel=data["channel"],
                    text=data["text"],
                    place=data["place"],
                    anonymous=data["anonymous"],
                    received_at=data["moment"],
                    identity={name: data[name] for name in ("name", "phone", "address")},
                    by=actor,
                    language=request.LANGUAGE_CODE,
                )
                if data["settled"].strip() and not receipt.again:
                    actions.settle_on_the_spot(case=receipt.case, text=data["settled"], by=actor)
            except Refused as refusal:
                form.add_error(None, str(refusal))
            else:
                return _receipt_page(request, receipt)
    return render(request, "cases/desk/intake.html", {"form": form}, status=422 if form.errors else 200)


@needs("case.read")
def case(request: HttpRequest, case: UUID) -> HttpResponse:
    """One matter: its clocks and their reasons, its owner, what happened, and what can be done now."""
    actor = request.actor  # type: ignore[attr-defined]
    found = _case(actor, case)
    actions.record_reading(case=found, by=actor)
    return _page(request, found)


def act(name: str) -> Any:
    """Return the view of one action: POST, then back to the matter; a refusal is said on the page itself."""

    perform, capabilities = ACTIONS[name]

    @require_POST
    @needs(*capabilities)
    def view(request: HttpRequest, case: UUID) -> HttpResponse:
        actor = request.actor  # type: ignore[attr-defined]
        found = _case(actor, case)
        try:
            done = perform(request, found, actor)
        except Invalid as invalid:
            return _page(request, found, name, invalid.form, status=422)
        except Refused as refusal:
            messages.error(request, str(refusal))
        else:
            messages.success(request, done)
        if not Case.for_(actor, "case.read").filter(pk=found.pk).exists():
            return redirect("case_list")
        return redirect("case", case=found.pk)

    view.__name__ = f"case_{name}"
    return view


class Invalid(Exception):
    """A form that was filled in wrongly, to be shown again with what was typed."""

    def __init__(self, form: Any) -> None:
        super().__init__("invalid form")
        self.form = form


def _take(request: HttpRequest, case: Case, by: Actor) -> str:
    actions.take(case=case, by=by)
    return _("You have this matter in hand now.")


def _accept(request: HttpRequest, case: Case, by: Actor) -> str:
    actions.accept(case=case, by=by)
    return _("The matter is accepted; the term of the decision runs.")


def _assign(request: HttpRequest, case: Case, by: Actor) -> str:
    form = _valid(desk_forms.AssignForm(request.POST, case=case, day=today()))
    actions.assign(case=case, officer=form["officer"], by=by)
    return _("The matter is assigned to %(name)s.") % {"name": form["officer"].title}


def _note(request: HttpRequest, case: Case, by: Actor) -> str:
    actions.note(case=case, text=_valid(desk_forms.TextForm(request.POST))["text"], by=by)
    return _("The note is written.")


def _message(request: HttpRequest, case: Case, by: Actor) -> str:
    actions.message_out(case=case, text=_valid(desk_forms.TextForm(request.POST))["text"], by=by)
    return _("The person sees the message under the code.")


def _ask(request: HttpRequest, case: Case, by: Actor) -> str:
    form = _valid(desk_forms.AskForm(request.POST))
    actions.ask_papers(case=case, items=form["items"].splitlines(), text=form["text"], by=by)
    return _("The person is asked for the missing papers; the clock is paused where the law lets it.")


def _supply(request: HttpRequest, case: Case, by: Actor) -> str:
    actions.supply(case=case, by=by, text=request.POST.get("text", ""))
    return _("The papers have come; the clock runs on.")


def _extend(request: HttpRequest, case: Case, by: Actor) -> str:
    owed = list(Obligation.for_(by, "obligation.read").filter(matter=case.pk).select_related("term"))
    form = _valid(desk_forms.ExtendForm(request.POST, obligations=owed))
    key, code = form["clock"].split(":", 1)
    chosen = next(o for o in owed if str(o.pk) == key)
    actions.extend(case=case, obligation=chosen, extension=code, ground=form["ground"], by=by)
    return _("The term is extended; the person reads the ground and the new date.")


def _apologise(request: HttpRequest, case: Case, by: Actor) -> str:
    form = _valid(desk_forms.ApologyForm(request.POST))
    end = datetime.combine(form["new_date"] + timedelta(days=1), time(0), VIETNAM)
    actions.apologise(case=case, text=form["text"], new_date=end, by=by)
    return _("The apology and the new date are with the person.")


def _send(request: HttpRequest, case: Case, by: Actor) -> str:
    form = desk_forms.SendForm(request.POST)
    data = _valid(form)
    unit = None
    if data["to_unit"].strip():
        found = [each for each in find(data["to_unit"], today()) if each.is_alive(today())]
        if len(found) != 1:
            form.add_error(
                "to_unit",
                _("No unit has this name.")
                if not found
                else _("Several units have this name: %(names)s. Type the official code.")
                % {"names": ", ".join(each.title for each in found[:5])},
            )
            raise Invalid(form)
        unit = found[0]
    actions.send(case=case, to_unit=unit, to_body=data["to_body"], text=data["text"], by=by)
    return _("The matter is on its way. Our clock runs until the receiver acknowledges.")


def _acknowledge(request: HttpRequest, case: Case, by: Actor) -> str:
    form = _valid(desk_forms.AcknowledgeForm(request.POST))
    actions.acknowledge(case=case, by=by, number=form["number"])
    return _("The receipt is acknowledged.")


def _answer(request: HttpRequest, case: Case, by: Actor) -> str:
    form = _valid(desk_forms.AnswerForm(request.POST))
    actions.answer(case=case, text=form["text"], outcome=form["outcome"], by=by)
    return _("The answer is with the person.")


def _close(request: HttpRequest, case: Case, by: Actor) -> str:
    actions.close(case=case, by=by)
    return _("The matter is closed.")


def _reopen(request: HttpRequest, case: Case, by: Actor) -> str:
    actions.reopen(case=case, text=_valid(desk_forms.TextForm(request.POST))["text"], by=by)
    return _("The matter is open again, with a clock of its own.")


ACTIONS: dict[str, tuple[Callable[[HttpRequest, Case, Actor], str], tuple[str, ...]]] = {
    "take": (_take, ("case.take",)),
    "accept": (_accept, ("case.take",)),
    "assign": (_assign, ("case.assign",)),
    "note": (_note, ("case.note",)),
    "message": (_message, ("case.note",)),
    "ask": (_ask, ("case.ask",)),
    "supply": (_supply, ("case.note",)),
    "extend": (_extend, ("case.extend",)),
    "apologise": (_apologise, ("case.note",)),
    "send": (_send, ("case.handover",)),
    "acknowledge": (_acknowledge, ("case.handover", "case.receive")),
    "answer": (_answer, ("case.answer",)),
    "close": (_close, ("case.close",)),
    "reopen": (_reopen, ("case.assign",)),
}


@needs("case.read")
def case_file(request: HttpRequest, case: UUID, file: UUID) -> HttpResponse:
    """Hand out a file as a download that can run nothing."""
    found = _case(request.actor, case)  # type: ignore[attr-defined]
    attachment = get_object_or_404(found.attachments.all(), pk=file)
    return file_response(attachment)


def file_response(attachment: Any) -> HttpResponse:
    try:
        stream = uploads.path_of(attachment.sha256).open("rb")
    except FileNotFoundError:
        raise Http404 from None
    response = FileResponse(stream, as_attachment=True, filename=attachment.name, content_type=attachment.media_type)
    response["Content-Security-Policy"] = "sandbox; default-src 'none'"
    response["X-Content-Type-Options"] = "nosniff"
    response["Cache-Control"] = "private, no-store"
    return response


def units_in_reach(actor: Actor, capability: str) -> Any:
    """Return the living units over which an ordinary capability reaches."""
    reach = actor.reach(capability)
    rows = Unit.objects.filter(valid_to=None)
    if reach.everything:
        return rows.filter(level=Unit.Level.COMMUNE).order_by("title")
    inside = Q(pk__in=reach.units)
    if reach.provinces:
        inside |= Q(pk__in=authority().units_under(reach.provinces))
    return rows.filter(inside).order_by("title")


def _case(actor: Actor, case: UUID) -> Case:
    rows = Case.for_(actor, "case.read").select_related("procedure", "holder", "received_by", "officer", "province")
    found: Case = get_object_or_404(rows, pk=case)
    return found


def _page(
    request: HttpRequest, case: Case, failed: str = "", failed_form: Any = None, status: int = 200
) -> HttpResponse:
    actor = request.actor  # type: ignore[attr-defined]
    at = now()
    owed = worklist.for_matter(actor, case.pk, at)
    identity = CaseIdentity.for_(actor, "case.identity").filter(case=case).first()
    has_identity = CaseIdentity.system("presence").filter(case=case).exists()
    pending = case.transfers.filter(acknowledged_at=None).select_related("to_unit").first()
    forms = {
        "note": desk_forms.TextForm(label=_("Note (internal)"), prefix=None, auto_id="note_%s"),
        "message": desk_forms.TextForm(label=_("Message to the person"), auto_id="message_%s"),
        "ask": desk_forms.AskForm(auto_id="ask_%s"),
        "assign": desk_forms.AssignForm(case=case, day=today(), auto_id="assign_%s"),
        "send": desk_forms.SendForm(auto_id="send_%s"),
        "acknowledge": desk_forms.AcknowledgeForm(auto_id="acknowledge_%s"),
        "answer": desk_forms.AnswerForm(label=_("Answer"), auto_id="answer_%s"),
        "extend": desk_forms.ExtendForm(obligations=[o for o, _state in owed], auto_id="extend_%s"),
        "apologise": desk_forms.ApologyForm(label=_("Reason"), auto_id="apologise_%s"),
        "reopen": desk_forms.TextForm(label=_("What is not settled"), auto_id="reopen_%s"),
    }
    if failed:
        failed_form.auto_id = f"{failed}_%s"
        forms[failed] = failed_form
    why_not = {name: permissions.ALL["message" if name == "apologise" else name](case, actor) for name in ACTIONS}
    context = {
        "case": case,
        "state": case.get_state(),
        "tone": _TONES.get(case.state, "info"),
        "owed": [
            {
                "obligation": o,
                "clock": state,
                "name": explain.name(o),
                "basis": explain.basis(o),
                "lines": explain.lines(o),
            }
            for o, state in owed
        ],
        "lead": next(((o, s) for o, s in owed if o.discharged_at is None), None),
        "identity": identity,
        "identity_hidden": identity is None and has_identity,
        "timeline": [_line(event) for event in case.events.all()],
        "files": case.attachments.all(),
        "pending": pending,
        "papers": case.paper_requests.filter(supplied_at=None).first(),
        "forms_by_name": forms,
        "form": failed_form,
        "failed": failed,
        "why_not": {name: str(reason) if reason else "" for name, reason in why_not.items()},
        "offers": [name for name in _ORDER if why_not[name] is None],
        "readers": _readers(case),
        "actor_may_act": any(actor.can(c) for _perform, caps in ACTIONS.values() for c in caps),
    }
    return render(request, "cases/desk/case.html", context, status=status)


_ORDER = (
    "acknowledge",
    "take",
    "accept",
    "answer",
    "ask",
    "supply",
    "close",
    "reopen",
    "message",
    "note",
    "assign",
    "extend",
    "apologise",
    "send",
)
_TONES = {
    Case.State.NEW: "soon",
    Case.State.IN_HAND: "info",
    Case.State.WAITING: "soon",
    Case.State.ANSWERED: "ok",
    Case.State.CLOSED: "ok",
}


def _line(event: CaseEvent) -> dict[str, Any]:
    facts = event.facts
    text = event.text
    if event.kind == CaseEvent.Kind.ASKED:
        text = "\n".join([*(f"– {item}" for item in facts.get("items", [])), text]).strip()
    elif event.kind == CaseEvent.Kind.SUCCEEDED:
        text = f"{facts.get('from', '')} → {facts.get('to', '')} ({facts.get('decree', '')})"
    elif event.kind in (CaseEvent.Kind.SENT, CaseEvent.Kind.PASSED_ON) and facts.get("to"):
        text = "\n".join(part for part in (facts["to"], text) if part)
    elif event.kind == CaseEvent.Kind.ACKNOWLEDGED and facts.get("number"):
        text = facts["number"]
    elif facts.get("conflict"):
        text = _("The same submission came again with other words:") + "\n" + text
    return {
        "at": event.at,
        "by": event.actor_name,
        "title": event.get_kind_display(),
        "text": text,
        "told": _("the person") if event.shown else "",
    }


def _readers(case: Case) -> list[dict[str, Any]]:
    """Return who read the matter and when, newest first."""
    entries = AuditEntry.system("readers").filter(object_id=case.pk, action="case.read").order_by("-seq")[:20]
    names = {user.pk: user.title for user in User.objects.filter(pk__in={entry.actor_id for entry in entries})}
    return [{"at": entry.at, "name": names.get(entry.actor_id, "")} for entry in entries]


def _receipt_page(request: HttpRequest, receipt: actions.Receipt) -> HttpResponse:
    owed = Obligation.system("receipt").open().filter(matter=receipt.case.pk).select_related("term").order_by("due_at")
    response = render(
        request,
        "cases/desk/receipt.html",
        {
            "receipt": receipt,
            "case": receipt.case,
            "owed": [{"name": explain.name(o), "due_at": o.due_at} for o in owed],
        },
    )
    response["Cache-Control"] = "no-store"
    return response


def _valid(form: Any) -> dict[str, Any]:
    if not form.is_valid():
        raise Invalid(form)
    data: dict[str, Any] = form.cleaned_data
    return data


def _read_cursor(text: str) -> tuple[datetime, UUID] | None:
    if not text:
        return None
    try:
        at, key = signing.loads(text, salt="cases")
        return datetime.fromisoformat(at), UUID(key)
    except (signing.BadSignature, ValueError, TypeError):
        raise Http404 from None
