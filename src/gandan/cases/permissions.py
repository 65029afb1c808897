"""Why something cannot be done to a matter by somebody now. None means that it can."""

from collections.abc import Callable
from typing import Any

from django.db.models import BooleanField, ExpressionWrapper
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from gandan.access import Actor
from gandan.access.authority import authority
from gandan.access.clock import day_of
from gandan.cases.models import Case, Procedure, Transfer
from gandan.obligations import terms
from gandan.obligations.models import Obligation
from gandan.units.standing import Standing

Reason = str | Promise | None

NOT_YOURS = gettext_lazy("Your role does not include this.")
ENDED = gettext_lazy("This matter has ended.")
ANSWERED = gettext_lazy("This matter has been answered.")


def may(case: Case, by: Actor, capability: str) -> bool:
    """Say whether somebody may use a capability on this matter: it is in reach, and no concern stands between.

    The same rule as `Case.for_`, asked of one loaded row.
    """
    about_us, about_me = _concerns(case, by)
    if about_me:
        return False
    reach = by.concerned_reach(capability) if about_us else by.reach(capability)
    return reach.covers(case.holder_id, case.province_id)


def is_about_us(case: Case, by: Actor) -> bool:
    """Say whether the matter is about a unit or an officer."""
    return _concerns(case, by)[0]


def receive(present: Standing, by: Actor, *, about_us: bool) -> Reason:
    """Why somebody cannot record a matter for a unit, as it stands today. Everybody may bring one; an officer records
    for his own."""
    unit = present.unit.pk
    if by.is_anonymous or by.reach("case.receive").covers(unit, present.province):
        return None
    if by.concerned_reach("case.receive").covers(unit, present.province):
        return (
            None if about_us else _("An inspector records matters about the police. Send the person to the duty desk.")
        )
    return NOT_YOURS


def take(case: Case, by: Actor) -> Reason:
    if not may(case, by, "case.take"):
        return NOT_YOURS
    if case.is_ended or case.answered_at:
        return ENDED if case.is_ended else ANSWERED
    if case.taken_at and case.officer is not None:
        if case.officer_id == by.user_id:
            return _("You have this matter in hand already.")
        if not may(case, by, "case.assign"):
            return _("%(name)s has this matter in hand. The chief can give it to somebody else.") % {
                "name": case.officer.title
            }
    return None


def assign(case: Case, by: Actor) -> Reason:
    if not may(case, by, "case.assign"):
        return NOT_YOURS
    return ENDED if case.is_ended else None


def work(case: Case, officer: Any) -> Reason:
    """Why a matter cannot be given to this officer."""
    if officer.is_active and may(case, authority().actor(officer), "case.answer"):
        return None
    return _("%(name)s has no role today that answers matters of this unit.") % {"name": officer.title}


def note(case: Case, by: Actor) -> Reason:
    return None if may(case, by, "case.note") else NOT_YOURS


def accept(case: Case, by: Actor) -> Reason:
    if not may(case, by, "case.take"):
        return NOT_YOURS
    if case.is_ended or case.answered_at:
        return ENDED if case.is_ended else ANSWERED
    if case.accepted_at:
        return _("This matter was accepted before.")
    if not terms.in_force(case.procedure.code, day_of(case.received_at), starts_on="accepted"):
        return _("The law asks for no formal acceptance of this kind of matter. Take it in hand instead.")
    return None


def ask(case: Case, by: Actor) -> Reason:
    if not may(case, by, "case.ask"):
        return NOT_YOURS
    if case.is_ended or case.answered_at:
        return ENDED if case.is_ended else ANSWERED
    if case.asked_at:
        return _("Papers have been asked for and have not come yet.")
    if case.paper_requests.filter(round=case.round).exists():
        return _("Missing papers are asked for once, all in one letter. That letter has been sent.")
    return None


def supply(case: Case, by: Actor) -> Reason:
    if not may(case, by, "case.note"):
        return NOT_YOURS
    return None if case.asked_at else _("No papers are being waited for.")


def extend(case: Case, by: Actor) -> Reason:
    if not may(case, by, "case.extend"):
        return NOT_YOURS
    if case.is_ended or case.answered_at:
        return ENDED if case.is_ended else ANSWERED
    return None


def apologise(case: Case, by: Actor) -> Reason:
    if not may(case, by, "case.note"):
        return NOT_YOURS
    if case.is_ended or case.answered_at:
        return ENDED if case.is_ended else ANSWERED
    if case.events.filter(kind="apologised", facts__round=case.round).exists():
        return _("An apology names one new date, and that was given before. Answer now.")
    return None


def send(case: Case, by: Actor) -> Reason:
    if not may(case, by, "case.handover"):
        return NOT_YOURS
    if case.is_ended:
        return ENDED
    if pending(case) is not None:
        return _("This matter is on its way already and waits for the receiver's word.")
    if case.answered_at and not owes_hand_over(case):
        return _("This matter has been answered. If it is not settled, open it again before you send it on.")
    return None


def recall(case: Case, by: Actor) -> Reason:
    if not may(case, by, "case.handover"):
        return NOT_YOURS
    return None if pending(case) is not None else _("Nothing is on its way.")


def acknowledge(case: Case, by: Actor) -> Reason:
    transfer = pending(case)
    if transfer is None:
        return _("Nothing waits to be acknowledged.")
    if case.is_ended:
        return ENDED
    if transfer.to_unit_id is None:
        return None if may(case, by, "case.handover") else NOT_YOURS
    if Transfer.arriving(by).filter(pk=transfer.pk).exists():
        return None
    return _("The receiving unit acknowledges this matter itself.")


def answer(case: Case, by: Actor) -> Reason:
    if not may(case, by, "case.answer"):
        return NOT_YOURS
    if case.is_ended or case.answered_at:
        return ENDED if case.is_ended else ANSWERED
    return None if case.taken_at else _("Take the matter in hand first.")


def settle(case: Case, by: Actor) -> Reason:
    if not may(case, by, "case.settle"):
        return _("You cannot settle this matter on the spot. Leave the answer empty: it is received and goes on.")
    return ENDED if case.is_ended or case.answered_at else None


def close(case: Case, by: Actor) -> Reason:
    if not may(case, by, "case.close"):
        return NOT_YOURS
    if case.is_ended:
        return ENDED
    if not case.answered_at:
        return _("Answer the person before you close the matter.")
    if owes_hand_over(case):
        return _("The law orders this matter to be handed over. It is closed when the receiver has acknowledged.")
    return None


def reopen(case: Case, by: Actor) -> Reason:
    return reopening(case) if may(case, by, "case.assign") else NOT_YOURS


def reopening(case: Case) -> Reason:
    """Why a matter cannot be opened again, whoever asks: an officer, or the person under the code."""
    if case.answered_at is None or case.withdrawn_at or case.passed_on_at:
        return _("Only an answered matter is reopened.")
    return None


def correct(case: Case, by: Actor) -> Reason:
    """Why the kind of a matter cannot be put right. A chief does it: another kind may give another date."""
    if not may(case, by, "case.assign"):
        return NOT_YOURS
    if case.is_ended or case.answered_at:
        return ENDED if case.is_ended else ANSWERED
    if pending(case) is not None:
        return _("This matter is on its way already and waits for the receiver's word.")
    return None


def becoming(case: Case, procedure: Procedure) -> Reason:
    """Why a matter cannot become one of another kind, whoever asks."""
    if procedure.code == case.procedure.code:
        return _("The matter is of this kind already.")
    if case.anonymous and procedure.identity == Procedure.Identity.NAMED:
        return _("This kind needs a name, and the person stays unnamed. Write to them under the code.")
    return None


def withdraw(case: Case, by: Actor) -> Reason:
    if not may(case, by, "case.note"):
        return NOT_YOURS
    return ENDED if case.is_ended else None


def message(case: Case, by: Actor) -> Reason:
    return note(case, by)


def hold(case: Case, by: Actor) -> Reason:
    """Why somebody cannot place or lift a hold. Inspectors do, on every kind of matter, never on one that concerns
    them; an officer could otherwise keep, or let go, what speaks of himself."""
    return None if may(case, by, "hold.place") else NOT_YOURS


def rate(case: Case) -> Reason:
    """Why an answer cannot be rated. Complaints about the police enter no figure of theirs, ratings included."""
    if case.answered_at is None:
        return _("A matter is rated after it has been answered.")
    if case.rated_round >= case.round:
        return _("You have rated this answer already. Thank you.")
    if Case.system("permission").filter(authority().has_subject("id"), pk=case.pk).exists():
        return _("Complaints about us are not rated here. You can say that the matter is not settled.")
    return None


def concern(case: Case, by: Actor) -> Reason:
    """Why somebody cannot write down an officer as concerned. Inspectors do, in matters about the police: another
    matter becomes one when its kind is corrected."""
    if not may(case, by, "concern.record"):
        return NOT_YOURS
    return ENDED if case.is_ended else None


def recuse(case: Case, by: Actor) -> Reason:
    """Why somebody cannot step back from a matter. Whoever works on it or gives it to others can."""
    if by.user_id is None or not any(may(case, by, each) for each in ("case.note", "case.assign")):
        return NOT_YOURS
    return ENDED if case.is_ended else None


ALL: dict[str, Callable[[Case, Actor], Reason]] = {
    "take": take,
    "accept": accept,
    "assign": assign,
    "note": note,
    "message": message,
    "ask": ask,
    "supply": supply,
    "extend": extend,
    "apologise": apologise,
    "send": send,
    "recall": recall,
    "acknowledge": acknowledge,
    "answer": answer,
    "close": close,
    "reopen": reopen,
    "correct": correct,
    "withdraw": withdraw,
    "concern": concern,
    "recuse": recuse,
}


def pending(case: Case) -> Transfer | None:
    """Return the transfer that waits for its receiver's word, if any."""
    found: Transfer | None = (
        case.transfers.filter(acknowledged_at=None, recalled_at=None).select_related("to_unit").first()
    )
    return found


def owes_hand_over(case: Case) -> bool:
    """Say whether a hand-over that the law orders is owed still."""
    owed = Obligation.system("permission").open().filter(matter=case.pk, term__ends_on="handed_over")
    return bool(owed.exists())


def _concerns(case: Case, by: Actor) -> tuple[bool, bool]:
    """Say whether the matter is about a unit or officer, and whether it concerns this actor; asked once a row."""
    known: dict[Any, tuple[bool, bool]] = case.__dict__.setdefault("_known_concerns", {})
    key = by.user_id or by.job
    if key not in known:
        conditions = {"about_us": authority().has_subject("id")}
        if not by.job and not by.is_anonymous:
            conditions["about_me"] = authority().names("id", by)
        row = (
            Case.system("permission")
            .filter(pk=case.pk)
            .values(**{name: ExpressionWrapper(q, BooleanField()) for name, q in conditions.items()})
            .get()
        )
        known[key] = (bool(row["about_us"]), bool(row.get("about_me")))
    return known[key]
