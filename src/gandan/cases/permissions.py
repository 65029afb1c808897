"""Why something cannot be done to a matter by somebody now. None means that it can."""

from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from gandan.access import Actor
from gandan.cases.models import Case

Reason = str | Promise | None

NOT_YOURS = _("Your role does not include this.")
ENDED = _("This matter has ended.")


def _basic(case: Case, by: Actor, capability: str) -> Reason:
    covers = by.reach(capability).covers(case.holder_id, case.province_id)
    watches = by.concerned_reach(capability).covers(case.holder_id, case.province_id)
    return None if covers or watches or by.job else NOT_YOURS


def take(case: Case, by: Actor) -> Reason:
    if reason := _basic(case, by, "case.take"):
        return reason
    if case.is_ended:
        return ENDED
    if case.officer_id == by.user_id and case.taken_at:
        return _("You have this matter in hand already.")
    return None


def assign(case: Case, by: Actor) -> Reason:
    return _basic(case, by, "case.assign") or (ENDED if case.is_ended else None)


def note(case: Case, by: Actor) -> Reason:
    return _basic(case, by, "case.note")


def accept(case: Case, by: Actor) -> Reason:
    if reason := _basic(case, by, "case.take"):
        return reason
    if case.is_ended:
        return ENDED
    return _("This matter was accepted before.") if case.accepted_at else None


def ask(case: Case, by: Actor) -> Reason:
    if reason := _basic(case, by, "case.ask"):
        return reason
    if case.is_ended or case.answered_at:
        return ENDED if case.is_ended else _("This matter has been answered.")
    if case.asked_at:
        return _("Papers have been asked for and have not come yet.")
    if case.paper_requests.filter(round=case.round).exists():
        return _("Missing papers are asked for once, all in one letter. That letter has been sent.")
    return None


def supply(case: Case, by: Actor) -> Reason:
    if reason := _basic(case, by, "case.note"):
        return reason
    return None if case.asked_at else _("No papers are being waited for.")


def extend(case: Case, by: Actor) -> Reason:
    if reason := _basic(case, by, "case.extend"):
        return reason
    return ENDED if case.is_ended or case.answered_at else None


def send(case: Case, by: Actor) -> Reason:
    if reason := _basic(case, by, "case.handover"):
        return reason
    if case.is_ended:
        return ENDED
    if case.transfers.filter(acknowledged_at=None).exists():
        return _("This matter is on its way already and waits for the receiver's word.")
    return None


def acknowledge(case: Case, by: Actor) -> Reason:
    pending = case.transfers.filter(acknowledged_at=None).first()
    if pending is None:
        return _("Nothing waits to be acknowledged.")
    if pending.to_unit_id is not None:
        covers = by.reach("case.receive").covers(pending.to_unit_id)
        watches = by.concerned_reach("case.receive").covers(pending.to_unit_id)
        return None if covers or watches else _("The receiving unit acknowledges this matter itself.")
    return _basic(case, by, "case.handover")


def answer(case: Case, by: Actor) -> Reason:
    if reason := _basic(case, by, "case.answer"):
        return reason
    if case.is_ended:
        return ENDED
    if case.answered_at:
        return _("This matter has been answered.")
    return None if case.taken_at else _("Take the matter in hand first.")


def close(case: Case, by: Actor) -> Reason:
    if reason := _basic(case, by, "case.close"):
        return reason
    if case.is_ended:
        return ENDED
    return None if case.answered_at else _("Answer the person before you close the matter.")


def reopen(case: Case, by: Actor) -> Reason:
    if reason := _basic(case, by, "case.assign"):
        return reason
    return None if case.answered_at and not case.withdrawn_at else _("Only an answered matter is reopened.")


def message(case: Case, by: Actor) -> Reason:
    return _basic(case, by, "case.note")


ALL: dict[str, Any] = {
    "take": take,
    "assign": assign,
    "note": note,
    "accept": accept,
    "ask": ask,
    "supply": supply,
    "extend": extend,
    "send": send,
    "acknowledge": acknowledge,
    "answer": answer,
    "close": close,
    "reopen": reopen,
    "message": message,
}
