"""What an installation still needs before people can rely on it: roles, telephones, the calendar, checked terms.

`gandan init` makes two accounts and nothing else. Whoever of the keepers comes to the desk reads here what is to be
done next, by whom, and how far it is.
"""

from dataclasses import dataclass
from uuid import UUID

from django.urls import reverse
from django.utils.translation import gettext as _

from gandan.access import Actor, Reach, today
from gandan.access.roles import Role
from gandan.obligations import doubts, terms
from gandan.obligations.models import CalendarYear
from gandan.staffing.models import Grant
from gandan.units.models import Unit, UnitContact, UnitReach, dated

KEEPERS = ("account.invite", "grant.oversight", "unit.contact")
"""Who holds one of these, for more than a commune, prepares an installation."""
_VERIFIED = "official"


@dataclass(frozen=True, slots=True)
class Step:
    title: str
    text: str
    done: bool
    by: str
    """Who does it, in the words of the role."""
    url: str
    """Where, if the reader may; else empty."""


def of(actor: Actor) -> list[Step]:
    """Return the steps, in the order in which they are done; none for who keeps nothing beyond a commune."""
    communes = {unit for capability in KEEPERS for unit in _communes(actor.reach(capability))}
    if len(communes) < 2:
        return []
    grants = Grant.system("first-steps").in_force(today())
    held = {(role, unit) for role, unit in grants.values_list("role", "unit")}
    present = {role for role, _unit in held}
    staffed = {
        kind: len({unit for role, unit in held if role in roles and unit in communes})
        for kind, roles in (("chief", {Role.CHIEF}), ("duty", {Role.DUTY_OFFICER, Role.OFFICER, Role.CHIEF}))
    }
    contacts = UnitContact.objects.filter(dated(today()), unit__in=communes).exclude(duty_phone="")
    phones = len(set(contacts.values_list("unit", flat=True)))
    standing = terms.all_in_force(today())
    unverified = sum(term.evidence != _VERIFIED for term in standing)
    year = CalendarYear.objects.filter(year=today().year).first()
    decided = year is not None and year.status == CalendarYear.Status.DECIDED and not doubts.awaits_decree(year)
    invite = reverse("invite") if actor.can("account.invite") else ""
    oversight = reverse("invite") if actor.can("grant.oversight") else ""
    registrar = actor.can("unit.contact")

    def so_far(count: int) -> str:
        return _("%(count)d of %(all)d communes so far.") % {"count": count, "all": len(communes)}

    administrator, keeper = _("Administrator"), _("Registrar")
    return [
        Step(
            _("Invite a registrar"),
            _("Keeps the units, their telephones, the working calendar and the terms."),
            Role.REGISTRAR in present,
            administrator,
            invite,
        ),
        Step(
            _("Invite the chief of each commune"),
            so_far(staffed["chief"]),
            staffed["chief"] == len(communes),
            administrator,
            invite,
        ),
        Step(
            _("Invite those who receive what people bring"),
            so_far(staffed["duty"]),
            staffed["duty"] == len(communes),
            administrator,
            invite,
        ),
        Step(
            _("Invite a commander"),
            _("Sees which units are late, and what is oldest there."),
            Role.COMMANDER in present,
            administrator,
            invite,
        ),
        Step(
            _("Appoint an auditor"),
            _("Reads everything that was done and changes nothing."),
            Role.AUDITOR in present,
            _("Oversight inspector"),
            oversight,
        ),
        Step(
            _("Enter the duty telephone of each commune"),
            so_far(phones),
            phones == len(communes),
            keeper,
            reverse("units") if registrar else "",
        ),
        Step(
            _("Enter the decree on this year's calendar"),
            _days_of_rest(year) % {"year": today().year},
            decided,
            keeper,
            reverse("calendar") if registrar else "",
        ),
        Step(
            _("Check the terms against the text of the law"),
            _("%(count)d of %(all)d are still to be verified.") % {"count": unverified, "all": len(standing)},
            not unverified,
            keeper,
            reverse("terms") if registrar else "",
        ),
    ]


def _days_of_rest(year: CalendarYear | None) -> str:
    """Return how far the days of rest of the present year `year` are known here."""
    if year is None or year.status == CalendarYear.Status.PROVISIONAL:
        return _("The days of rest of %(year)d are provisional; dates are counted again when they change.")
    if doubts.awaits_decree(year):
        return _("The days of rest of %(year)d came with the system; compare them with the decree.")
    return _("The days of rest of %(year)d are decided.")


def _communes(reach: Reach) -> set[UUID]:
    rows = Unit.objects.filter(dated(today()), level=Unit.Level.COMMUNE)
    if not reach.everything:
        seats = reach.provinces | reach.units
        beneath = UnitReach.objects.filter(dated(today()), ancestor__in=seats).values("descendant")
        rows = rows.filter(pk__in=beneath)
    return set(rows.values_list("pk", flat=True))
