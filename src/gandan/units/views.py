from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from gandan.access import Actor, Refused, today
from gandan.access.decorators import needs, public
from gandan.units import actions, acts, forms
from gandan.units.models import (
    Reorganisation,
    Succession,
    Unit,
    UnitContact,
    dated,
    find,
    province_of,
    successors_of,
    superior_on,
)
from gandan.units.register import alphabetical

SHOWN = 30
"""How many units a search shows."""


@public("which units there are is published")
def units(request: HttpRequest) -> HttpResponse:
    """Find the unit that serves a place, by any spelling."""
    form = forms.SearchForm(request.GET or None)
    text = request.GET.get("q", "").strip()
    found = find(text[:120], limit=SHOWN + 1) if text else []
    more, found = len(found) > SHOWN, found[:SHOWN]
    rows = [{"unit": unit, "now": [] if unit.is_alive(today()) else successors_of(unit)} for unit in found]
    living = [] if text else list(Unit.objects.filter(dated(today()), level=Unit.Level.COMMUNE))
    many = len(living) > 400
    everyone = [] if many else sorted(living, key=lambda each: alphabetical(each.title))
    context = {"form": form, "text": text, "rows": rows, "more": more, "most": SHOWN, "all": everyone, "many": many}
    return render(request, "units/units.html", context)


@public("which units there are is published")
def unit(request: HttpRequest, slug: str) -> HttpResponse:
    """Who serves me here: duty phone, address, hours; for an ended unit, who serves its place now."""
    found = get_object_or_404(Unit.objects.prefetch_related("versions"), slug=slug)
    actor = request.actor  # type: ignore[attr-defined]
    return render(request, "units/unit.html", {**page_of(found), "may_contact": _may_contact(actor, found)})


def page_of(unit: Unit) -> dict[str, Any]:
    """Return what the page of a unit shows."""
    alive = unit.is_alive(today())
    came = Succession.objects.filter(successor=unit).select_related("predecessor", "act").order_by("predecessor__title")
    went = Succession.objects.filter(predecessor=unit).select_related("successor", "act").order_by("-primary")
    version = unit.version_on(today())
    return {
        "unit": unit,
        "alive": alive,
        "version": version,
        "versions": sorted(unit.versions.all(), key=lambda v: v.valid_from),
        "parent": superior_on(unit, today()) if alive else None,
        "came": came,
        "went": went,
        "now": [] if alive else successors_of(unit),
        "office": office_of(unit),
    }


def office_of(unit: Unit) -> dict[str, Any]:
    """Return the name, phone, address and hours for the frame of a unit's pages."""
    contact = UnitContact.objects.filter(dated(today()), unit=unit).first()
    province = province_of(unit)
    english = get_language() == "en"
    return {
        "name": unit.title,
        "parent": province.title if province and province.pk != unit.pk else "",
        "url": reverse("unit", args=[unit.slug]),
        "duty_phone": contact.duty_phone if contact else "",
        "address": contact.address if contact else "",
        "hours": (contact.hours_en if english else contact.hours_vi) if contact else "",
    }


@needs("unit.draft")
def act_list(request: HttpRequest) -> HttpResponse:
    """The acts that changed, or will change, units."""
    actor = request.actor  # type: ignore[attr-defined]
    rows = Reorganisation.for_(actor, "unit.draft").select_related("seat")
    form = forms.ActForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            act = actions.draft_act(by=actor, seat=_seat(actor), **form.cleaned_data)
        except Refused as refusal:
            form.add_error(None, str(refusal))
        else:
            return redirect("unit_act", act=act.pk)
    rows = [{"act": each, "late": _is_late(each)} for each in rows]
    return render(request, "units/acts.html", {"rows": rows, "form": form}, status=422 if form.errors else 200)


@needs("unit.draft")
def act(request: HttpRequest, act: UUID) -> HttpResponse:
    """One act: its steps, what is wrong with it, and what it would move."""
    found = _act(request, act)
    return _act_page(request, found)


@require_POST
@needs("unit.draft")
def act_merge(request: HttpRequest, act: UUID) -> HttpResponse:
    """Add the steps of a table of parts."""
    actor = request.actor  # type: ignore[attr-defined]
    found = _act(request, act)
    form = forms.MergeForm(request.POST, auto_id="merge_%s")
    if form.is_valid():
        try:
            actions.add_parts(act=found, rows=form.cleaned_data["table"], by=actor)
        except Refused as refusal:
            form.add_error("table", str(refusal))
        else:
            messages.success(request, _("The steps are added."))
            _tell_off_schedule(request, found)
            return redirect("unit_act", act=found.pk)
    return _act_page(request, found, merge=form)


@require_POST
@needs("unit.draft")
def act_step(request: HttpRequest, act: UUID) -> HttpResponse:
    actor = request.actor  # type: ignore[attr-defined]
    found = _act(request, act)
    form = forms.OneUnitForm(request.POST, auto_id="step_%s")
    if form.is_valid():
        try:
            kind, data = _step_data(found, form.cleaned_data)
            actions.add_step(act=found, kind=kind, data=data, by=actor)
        except Refused as refusal:
            form.add_error(None, str(refusal))
        else:
            messages.success(request, _("The step is added."))
            _tell_off_schedule(request, found)
            return redirect("unit_act", act=found.pk)
    return _act_page(request, found, step=form)


@require_POST
@needs("unit.draft")
def act_step_remove(request: HttpRequest, act: UUID, position: int) -> HttpResponse:
    found = _act(request, act)
    actions.remove_step(act=found, position=position, by=request.actor)  # type: ignore[attr-defined]
    _tell_off_schedule(request, found)
    return redirect("unit_act", act=found.pk)


@require_POST
@needs("unit.draft")
def act_check(request: HttpRequest, act: UUID) -> HttpResponse:
    found = _act(request, act)
    faults = actions.check_act(act=found, by=request.actor)  # type: ignore[attr-defined]
    if not faults:
        messages.success(request, _("The act is whole: no gap, no overlap, no orphan."))
        return redirect("unit_act", act=found.pk)
    return _act_page(request, found, faults=faults, status=422)


@needs("unit.draft")
def act_preview(request: HttpRequest, act: UUID) -> HttpResponse:
    """Everything that the act would move, row by row; in a division the registrar chooses the successor."""
    actor = request.actor  # type: ignore[attr-defined]
    found = _act(request, act)
    if request.method == "POST":
        chosen = {key.removeprefix("row:"): str(value) for key, value in request.POST.items() if key.startswith("row:")}
        actions.assign_rows(act=found, assignments=chosen, by=actor)
        messages.success(request, _("Your choice is kept."))
        return redirect("unit_act_preview", act=found.pk)
    lines = actions.preview_act(act=found, by=actor)
    names = {u.pk: u.title for u in Unit.objects.filter(pk__in={line.unit_id for line in lines})}
    choices = acts.choices(found)
    grouped: dict[str, dict[str, Any]] = {}
    for line in lines:
        name = names.get(line.unit_id, "")
        entry = grouped.setdefault(
            name,
            {"unit": name, "counts": {}, "rows": [], "choices": choices.get(str(line.unit_id), [])},
        )
        entry["counts"][line.kind] = entry["counts"].get(line.kind, 0) + 1
        chosen = found.assignments.get(str(line.object_id), "")
        entry["rows"].append({"line": line, "key": f"row:{line.object_id}", "chosen": chosen})
    context = {
        "act": found,
        "groups": list(grouped.values()),
        "total": len(lines),
        "may_enact": actor.can("unit.enact") and found.state == Reorganisation.State.CHECKED,
    }
    return render(request, "units/preview.html", context)


@require_POST
@needs("unit.enact")
def act_schedule(request: HttpRequest, act: UUID) -> HttpResponse:
    """Let a checked act come into force on its day."""
    found = _act(request, act)
    done = actions.schedule_act(act=found, by=request.actor)  # type: ignore[attr-defined]
    if done.state == Reorganisation.State.IN_FORCE:
        messages.success(request, _("The act is in force. Every open matter has its owner."))
    else:
        messages.success(request, _("The act is scheduled; it comes into force on its day."))
    return redirect("unit_act", act=found.pk)


@needs("unit.contact")
def contact(request: HttpRequest, slug: str) -> HttpResponse:
    """Change the duty phone, address and hours of a unit in one's area."""
    actor = request.actor  # type: ignore[attr-defined]
    found = get_object_or_404(Unit.objects, slug=slug, valid_to=None)
    if not _may_contact(actor, found):
        raise Http404
    latest = UnitContact.objects.filter(unit=found, valid_to=None).first()
    initial = {n: getattr(latest, n) for n in ("duty_phone", "address", "hours_vi", "hours_en")} if latest else None
    form = forms.ContactForm(request.POST or None, initial=initial)
    if request.method == "POST" and form.is_valid():
        actions.set_contact(unit=found, by=actor, **form.cleaned_data)
        messages.success(request, _("The contact is changed."))
        return redirect("unit", slug=found.slug)
    return render(request, "units/contact.html", {"form": form, "unit": found}, status=422 if form.errors else 200)


def _tell_off_schedule(request: HttpRequest, before: Reorganisation) -> None:
    if before.state == Reorganisation.State.SCHEDULED:
        messages.warning(
            request, _("The act is no longer scheduled. Check it and let it come into force on its day again.")
        )


def _may_contact(actor: Actor, unit: Unit) -> bool:
    province = province_of(unit)
    return unit.valid_to is None and actor.reach("unit.contact").covers(unit.pk, province.pk if province else None)


def _act(request: HttpRequest, key: UUID) -> Reorganisation:
    rows = Reorganisation.for_(request.actor, "unit.draft")  # type: ignore[attr-defined]
    found: Reorganisation = get_object_or_404(rows, pk=key)
    return found


def _act_page(
    request: HttpRequest,
    act: Reorganisation,
    *,
    merge: Any = None,
    step: Any = None,
    faults: Any = None,
    status: int = 0,
) -> HttpResponse:
    listed = list(act.steps.all())
    steps = [{"step": each, "text": text} for each, text in zip(listed, acts.sentences(listed), strict=True)]
    failed = [form for form in (merge, step) if form is not None and form.errors]
    return render(
        request,
        "units/act.html",
        {
            "act": act,
            "steps": steps,
            "faults": faults,
            "forms": failed,
            "merge_form": merge or forms.MergeForm(auto_id="merge_%s"),
            "step_form": step or forms.OneUnitForm(auto_id="step_%s"),
            "late": _is_late(act),
            "open": act.state != Reorganisation.State.IN_FORCE,
            "may_enact": request.actor.can("unit.enact"),  # type: ignore[attr-defined]
        },
        status=status or (422 if failed else 200),
    )


def _is_late(act: Reorganisation) -> bool:
    """Say whether the day of an act has come without it: one that was scheduled could not be applied."""
    return act.state != Reorganisation.State.IN_FORCE and act.effective_on <= today()


def _step_data(act: Reorganisation, values: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    unit = actions.unit_by_code(values["code"], act)
    kind, value = values["kind"], values["value"].strip()
    if kind == "dissolve":
        return kind, {"unit": str(unit.pk)}
    if not value:
        raise Refused(_("Write the new name, the new type, or the code of the new superior."))
    if kind == "move":
        return kind, {
            "unit": str(unit.pk),
            "chain": values["chain"],
            "parent": str(actions.unit_by_code(value, act).pk),
        }
    return kind, {"unit": str(unit.pk), "name" if kind == "rename" else "type": value}


def _seat(actor: Actor) -> Unit:
    grant = next(g for g in actor.grants if "unit.draft" in g.capabilities)
    return Unit.objects.get(pk=grant.unit_id)
