"""The auditor's desk: follow one matter, draw a sample, look for clocks moved just in time, carry the record away."""

import csv
import secrets
import tempfile
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.contrib import messages
from django.db import transaction
from django.http import FileResponse, Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from gandan import audit
from gandan.access import today
from gandan.access.clock import VIETNAM
from gandan.access.decorators import needs
from gandan.audit import bundles, verifying
from gandan.audit.models import AuditCheckpoint, AuditEntry
from gandan.cases.models import Case
from gandan.portal import auditing
from gandan.portal.audit_forms import NEAR_HOURS, BundleForm, DrawForm, WindowForm
from gandan.portal.overseers import alarm

_CLIENT_FORMULA = ("=", "+", "-", "@", "\t", "\r")


@needs("audit.read")
def audit_desk(request: HttpRequest) -> HttpResponse:
    """Where an auditor begins: a sample, the lists with their counts, the newest entries, the signed end."""
    actor = request.actor  # type: ignore[attr-defined]
    form, window = _window({})
    assert window is not None
    return render(
        request,
        "portal/audit.html",
        {
            "draw_form": DrawForm(initial={"seed": secrets.token_hex(4), "before": today()}),
            "lists": [
                {"title": title, "text": text, "count": len(find(actor, window)), "url": _list_url(name)}
                for name, title, text in _lists()
                for find in (auditing.LISTS[name],)
            ],
            "window": form.cleaned_data,
            "entries": auditing.named(AuditEntry.for_(actor, "audit.read").order_by("-seq")[:50]),
            "checkpoint": AuditCheckpoint.objects.order_by("-seq").first(),
            "bundle_form": BundleForm(),
            **alarm(actor),
        },
    )


@require_POST
@needs("audit.read")
def audit_draw(request: HttpRequest) -> HttpResponse:
    """Draw a sample: who drew, by which seed and from which matters stands in the record from then on."""
    actor = request.actor  # type: ignore[attr-defined]
    form = DrawForm(request.POST)
    if not form.is_valid():
        return render(request, "portal/audit_sample.html", {"draw_form": form, "drawn": None}, status=422)
    drawn = auditing.draw(actor, **form.cleaned_data)
    with transaction.atomic():
        audit.record(
            "audit.draw",
            by=actor,
            capability="audit.read",
            reason=f"seed:{drawn.seed}",
            values={
                "seed": drawn.seed,
                "before": str(drawn.before),
                "by_unit": drawn.by_unit,
                "population": drawn.population,
                "cases": [case.pk for case in drawn.cases],
            },
        )
    values = {"seed": drawn.seed, "before": drawn.before.isoformat(), "by_unit": "on" if drawn.by_unit else ""}
    return redirect(f"{reverse('audit_sample')}?{urlencode(values)}")


@needs("audit.read")
def audit_sample(request: HttpRequest) -> HttpResponse:
    """The matters that a seed draws, again, for whoever types it; as a page to print or a file."""
    actor = request.actor  # type: ignore[attr-defined]
    if "seed" not in request.GET:
        return redirect("audit_desk")
    form = DrawForm(request.GET)
    if not form.is_valid():
        return render(request, "portal/audit_sample.html", {"draw_form": form, "drawn": None}, status=422)
    drawn = auditing.draw(actor, **form.cleaned_data)
    if request.GET.get("format") == "csv":
        head = [_("Matter"), _("Kind"), _("Received"), _("Received by"), _("Unit"), _("State"), _("Address")]
        rows = [
            [
                case.reference,
                case.procedure.name,
                case.received_at,
                case.received_by.title,
                case.holder.title,
                case.get_state(),
                request.build_absolute_uri(reverse("audit_matter", args=[case.pk])),
            ]
            for case in drawn.cases
        ]
        return _file(f"sample-{drawn.seed}", head, rows)
    recorded = AuditEntry.for_(actor, "audit.read").filter(action="audit.draw", reason=f"seed:{drawn.seed}")
    return render(
        request,
        "portal/audit_sample.html",
        {
            "draw_form": form,
            "drawn": drawn,
            "recorded": recorded.order_by("seq").first()
            or AuditEntry.system("audit-desk")
            .filter(action="audit.draw", reason=f"seed:{drawn.seed}", actor_id=actor.user_id)
            .order_by("seq")
            .first(),
            "csv_url": f"{request.get_full_path()}&format=csv",
        },
    )


@needs("audit.read")
def audit_list(request: HttpRequest) -> HttpResponse:
    """One list of what looks moved just in time, with its count, its links and a file."""
    actor = request.actor  # type: ignore[attr-defined]
    name = request.GET.get("list", "paused")
    if name not in auditing.LISTS:
        raise Http404
    form, window = _window(request.GET)
    found = auditing.LISTS[name](actor, window) if window is not None else []
    if request.GET.get("format") == "csv" and window is not None:
        return _file(f"audit-{name}", _finding_heads(), [_finding_row(request, each) for each in found])
    title, text = next((t, words) for key, t, words in _lists() if key == name)
    return render(
        request,
        "portal/audit_list.html",
        {
            "name": name,
            "title": title,
            "text": text,
            "form": form,
            "count": len(found),
            "found": found[: auditing.SHOWN],
            "shown": auditing.SHOWN,
            "pills": [
                {"title": t, "count": None, "url": _list_url(key, request.GET), "current": key == name}
                for key, t, _words in _lists()
            ],
            "csv_url": f"{_list_url(name, request.GET)}&format=csv",
        },
        status=200 if window is not None else 422,
    )


@needs("audit.read")
def audit_matter(request: HttpRequest, matter: UUID) -> HttpResponse:
    """The whole trail of one matter: its lines, each promise as a sum, who read what, and every entry with its hash."""
    actor = request.actor  # type: ignore[attr-defined]
    case = get_object_or_404(
        Case.for_(actor, "case.read").select_related("procedure", "holder", "received_by"), pk=matter
    )
    owed = auditing.promises(actor, matter)
    entries = auditing.entries_about(matter, [each["row"].pk for each in owed])
    return render(
        request,
        "portal/audit_matter.html",
        {
            "case": case,
            "lines": case.events.all(),
            "owed": owed,
            "entries": entries,
            "readings": [each for each in entries if each["entry"].action in auditing.READINGS],
        },
    )


@needs("audit.read")
def audit_checkpoint(request: HttpRequest) -> HttpResponse:
    """The newest signed word about the end of the record, to print, sign and keep; with a code to scan."""
    newest = AuditCheckpoint.objects.order_by("-seq").first()
    line = verifying.checkpoint_of(newest).line if newest is not None else ""
    return render(
        request,
        "portal/audit_checkpoint.html",
        {
            "checkpoint": newest,
            "line": line,
            "code": _code(line) if line else None,
            "public_key": verifying.own_public_key().hex(),
            "before": AuditCheckpoint.objects.order_by("-seq")[1:11],
        },
    )


@require_POST
@needs("audit.read")
def audit_bundle(request: HttpRequest) -> HttpResponse | FileResponse:
    """The record from one entry on, signed, with the script that verifies it offline."""
    actor = request.actor  # type: ignore[attr-defined]
    form = BundleForm(request.POST)
    if not form.is_valid():
        messages.warning(request, _("Write the number of the first entry, from 1 on."))
        return redirect("audit_desk")
    first = form.cleaned_data["first"]
    with transaction.atomic():
        audit.record("audit.bundle", by=actor, capability="audit.read", reason=f"from:{first}")
    # Closed, and so removed, by the answer that sends it.
    file = tempfile.TemporaryFile(prefix="gandan-bundle-")  # noqa: SIM115
    try:
        bundles.write(file, first=first)
    except LookupError:
        file.close()
        messages.warning(request, _("The record has no entry with that number yet."))
        return redirect("audit_desk")
    except verifying.Broken as broken:
        file.close()
        messages.error(
            request,
            _("The record does not hold together (%(what)s), so it is not signed. Write this down and tell oversight.")
            % {"what": str(broken)},
        )
        return redirect("audit_desk")
    file.seek(0)
    return FileResponse(file, as_attachment=True, filename=f"record-{today():%Y%m%d}.zip")


# What pages say


def _lists() -> list[tuple[str, str, str]]:
    return [
        ("paused", _("Paused just before the date"), _("The clock was stopped shortly before the date.")),
        ("extended", _("Extended just before the date"), _("More time was taken shortly before the date.")),
        ("closed", _("Ended just before the date"), _("Answered, passed on or taken back shortly before the date.")),
        ("late", _("Written down late"), _("What took effect earlier than it was written down.")),
        ("reopened", _("Opened again soon"), _("Answered or closed, and opened again within the time chosen.")),
    ]


def _window(given: Any) -> tuple[WindowForm, auditing.Window | None]:
    """Return the form of the days looked at, and the window when it holds; ninety days and one day by default."""
    default = {"start": str(today() - timedelta(days=90)), "end": str(today()), "hours": str(NEAR_HOURS)}
    form = WindowForm({name: given.get(name) or value for name, value in default.items()})
    if not form.is_valid():
        return form, None
    chosen = form.cleaned_data
    midnight = datetime.min.time()
    return form, auditing.Window(
        datetime.combine(chosen["start"], midnight, tzinfo=VIETNAM),
        datetime.combine(chosen["end"] + timedelta(days=1), midnight, tzinfo=VIETNAM),
        timedelta(hours=chosen["hours"]),
    )


def _list_url(name: str, given: Any = None) -> str:
    kept = {key: given[key] for key in ("start", "end", "hours") if given and given.get(key)}
    return f"{reverse('audit_list')}?{urlencode({'list': name, **kept})}"


def _finding_heads() -> list[str]:
    return [
        _("When"),
        _("Written down"),
        _("What"),
        _("Term"),
        _("Unit"),
        _("Minutes"),
        _("Ground"),
        _("Matter"),
        _("Address"),
    ]


def _finding_row(request: HttpRequest, each: auditing.Finding) -> list[Any]:
    minutes = round(each.left.total_seconds() / 60) if each.left is not None else ""
    address = request.build_absolute_uri(reverse("audit_matter", args=[each.matter])) if each.reference else ""
    return [each.at, each.recorded_at, each.what, each.clock, each.unit, minutes, each.ground, each.reference, address]


def _file(name: str, head: list[str], rows: list[list[Any]]) -> HttpResponse:
    response = HttpResponse(content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="{name}.csv"'
    response.write("\ufeff")
    writer = csv.writer(response)
    writer.writerow(head)
    writer.writerows([[_cell(value) for value in row] for row in rows])
    return response


def _cell(value: Any) -> Any:
    """Return a cell that a spreadsheet takes for what it is, never for a formula."""
    if isinstance(value, datetime):
        return value.astimezone(VIETNAM).strftime("%Y-%m-%d %H:%M:%S")
    if isinstance(value, str) and value.startswith(_CLIENT_FORMULA):
        return f"'{value}"
    return value


def _code(line: str) -> dict[str, Any]:
    """Return a QR code as one path of an SVG: drawn in the page itself, with no picture to load."""
    import qrcode  # type: ignore[import-untyped]
    from qrcode.constants import ERROR_CORRECT_M  # type: ignore[import-untyped]

    drawn = qrcode.QRCode(error_correction=ERROR_CORRECT_M, border=4)
    drawn.add_data(line)
    drawn.make(fit=True)
    squares = [f"M{x} {y}h1v1h-1z" for y, row in enumerate(drawn.get_matrix()) for x, dark in enumerate(row) if dark]
    return {"size": len(drawn.get_matrix()), "path": "".join(squares)}
