"""One promise as a printed sum, in the reader's language."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import datetime, time, timedelta
from typing import Any

from django.utils import timezone
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from gandan.accounts.models import User
from gandan.law import Deadline, deadline_of, render
from gandan.obligations import replay, terms
from gandan.obligations.calendar import almanac
from gandan.obligations.models import Obligation, ObligationEvent
from gandan.units.models import Unit

Kind = ObligationEvent.Kind
NO_INSPECTOR = "no_inspector"
"""The ground of a transfer to a unit above because no inspector of the former one may deal with the matter."""


def basis(obligation: Obligation) -> str:
    """Return the citation of the term that set the promise."""
    term = obligation.term
    return str(term.basis_en if get_language() == "en" else term.basis_vi)


def name(obligation: Obligation) -> str:
    """Return what is owed."""
    term = obligation.term
    return str(term.name_en if get_language() == "en" else term.name_vi)


def lines(obligation: Obligation) -> list[str]:
    """Return the sum line by line, counted anew from the events by the calendar that stood when the date was set.

    A holiday declared later changes neither the sum of a date that had been missed nor of a promise that ended.
    """
    found = replay.fold(sorted(obligation.events.all(), key=lambda event: event.seq))
    return render(_counted(obligation, found), get_language() or "vi", grounds=ground)


def ground(code: str) -> str:
    """Return the words of a ground's code; a ground that somebody wrote stays as written."""
    return {
        "missing_papers": _("waiting for missing papers"),
        "withdrawn": _("taken back by the person"),
        "before": _("had happened before the kind was corrected"),
        "closed": _("the matter was closed"),
    }.get(code, code)


def events(obligation: Obligation) -> list[dict[str, Any]]:
    """Return what happened, oldest first, for a timeline: when, by whom, with its ground, decision and new date.

    An event that was written down late shows both times. Two queries, for the names of people and units.
    """
    happened = sorted(obligation.events.all(), key=lambda event: event.seq)
    people = User.objects.filter(pk__in={event.actor_id for event in happened if event.actor_id})
    names = {user.pk: user.title for user in people}
    keys = {event.facts[key] for event in happened for key in ("from", "owed_by", "to") if event.facts.get(key)}
    units = {str(unit.pk): unit.title for unit in Unit.objects.filter(pk__in=keys)}
    return [
        {
            "at": event.at,
            "by": names.get(event.actor_id, "") if event.actor_id else "",
            "title": _title(event),
            "text": "\n".join(_told(event, units)),
            "tone": "late" if event.facts.get("late_entry") else "",
        }
        for event in happened
    ]


def _counted(obligation: Obligation, found: replay.Projection) -> Deadline:
    """Return the date with its sum; where the term has another length for the unit or the matter, that is said."""
    calendar, term = almanac().as_of(found.calendar), terms.value_of(obligation.term)
    if found.amount != term.amount_for(remote=found.remote, complex=found.complex):
        return found.deadline(calendar)
    assert found.started_at is not None
    return deadline_of(
        # The citation stands beneath the sum on every page.
        replace(term, basis_vi="", basis_en=""),
        found.started_at,
        calendar,
        remote=found.remote,
        complex=found.complex,
        pauses=found.all_pauses,
        extensions=found.extensions,
    )


def _title(event: Any) -> str:
    if event.kind == Kind.TRANSFERRED and event.ground == NO_INSPECTOR:
        return _("passed to a higher inspector")
    return str(event.get_kind_display())


def _told(event: Any, units: Mapping[str, str]) -> Iterator[str]:
    facts = event.facts
    if event.kind == Kind.TRANSFERRED and event.ground == NO_INSPECTOR:
        yield _("From %(from)s, where nobody may deal with it any more, to %(to)s.") % {
            "from": units.get(facts["from"], ""),
            "to": units.get(facts["owed_by"], ""),
        }
    elif event.kind == Kind.TRANSFERRED:
        yield _("From %(from)s to %(to)s, by %(decree)s.") % {
            "from": units.get(facts["from"], ""),
            "to": units.get(facts["owed_by"], ""),
            "decree": event.ground,
        }
    elif event.kind == Kind.RECOMPUTED:
        yield _("By %(decree)s. The date was %(before)s.") % {
            "decree": event.ground,
            "before": _end(datetime.fromisoformat(facts["before"])),
        }
    elif event.ground:
        yield ground(event.ground)
    if facts.get("decision"):
        yield _("Decision %(number)s") % {"number": facts["decision"]}
    if facts.get("to"):
        yield _("To %(unit)s") % {"unit": units.get(facts["to"], "")}
    if event.kind in (Kind.OPENED, Kind.RESUMED, Kind.EXTENDED, Kind.RECOMPUTED):
        yield _("Due %(when)s") % {"when": _end(datetime.fromisoformat(facts["due_at"]))}
    if facts.get("late_entry") or event.recorded_at - event.at > replay.PROMPT:
        yield _("Written down only at %(when)s.") % {"when": _instant(event.recorded_at)}


def _end(due_at: datetime) -> str:
    """Write a due instant: the midnight that ends a day is told as the end of that day."""
    local = timezone.localtime(due_at)
    if local.time() != time(0):
        return _instant(due_at)
    return _("end of %(day)s") % {"day": f"{local - timedelta(days=1):%d/%m/%Y}"}


def _instant(at: datetime) -> str:
    return f"{timezone.localtime(at):%H:%M %d/%m/%Y}"
