"""What is sent to each address, and what must come of it. An address that is not here fails the walk."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

from gandan.access import today
from gandan.obligations.models import Obligation
from tests.access.world import Walked

READERS = {"duty_officer", "officer", "chief", "dispatcher", "commander", "oversight", "auditor"}
NAMED = {"duty_officer", "officer", "chief", "oversight"}
"""Roles that read a matter, and those that open who brought it."""
_OTHER = {
    "invited": {"administrator"},
    "act": {"registrar"},
    "decree": {"registrar"},
    "disclosed": {"oversight", "auditor"},
}
_IDENTITY = {"name", "phone", "address"}
ANYWHERE = ("own",)
MATTERS = ("own", "sibling", "cousin", "foreign", "predecessor", "undivided", "complaint", "recused")
RECORDS = ("own", "sibling", "foreign")
HELD = (*RECORDS, "complaint", "recused")
Where = Callable[[Walked, Any, set[str], str], bool]


def matter_in_reach(world: Walked, user: Any, roles: set[str], place: str) -> bool:
    case = world.places[place].case
    assert case is not None
    return world.oracle.may(user, roles, case.holder_id, case.pk)


def unit_in_reach(world: Walked, user: Any, roles: set[str], place: str) -> bool:
    return world.oracle.may(user, roles, world.places[place].unit.pk)


def held_in_reach(world: Walked, user: Any, roles: set[str], place: str) -> bool:
    """Inspectors place and see holds on every kind of matter, never on one that concerns them."""
    case = world.places[place].case
    assert case is not None
    return world.oracle.may(user, roles, case.holder_id, case.pk, set())


def province_in_reach(world: Walked, user: Any, roles: set[str], place: str) -> bool:
    return world.oracle.may(user, roles, (world.away if place == "foreign" else world.home).pk)


def serves_there(world: Walked, user: Any, roles: set[str], place: str) -> bool:
    """A notice is seen by those who serve in the unit itself and do not only look on."""
    unit = world.places[place].unit.pk
    return any(
        held.user == user
        and held.unit == unit
        and held.role in roles - {"auditor"}
        and world.oracle.reached(held, unit)
        for held in world.oracle.grants
    )


def somewhere(world: Walked, user: Any, roles: set[str], place: str) -> bool:
    return True


def shows(world: Walked, user: Any, place: str, name: str) -> bool:
    """Say whether somebody may ever be shown a canary."""
    if place == "home":
        return True
    roles = _OTHER.get(name, READERS)
    if name in _IDENTITY:
        roles = NAMED
    if name in ("act", "decree"):
        return province_in_reach(world, user, roles, place)
    if name == "invited":
        return unit_in_reach(world, user, roles, place)
    if name == "held":
        return held_in_reach(world, user, {"oversight", "auditor"}, place)
    if name == "disclosed":
        return unit_in_reach(world, user, roles, place)
    return matter_in_reach(world, user, roles, place)


@dataclass(frozen=True)
class Example:
    """One address: which places it is asked about, who finds something there and may do it, and what is sent."""

    places: tuple[str, ...] = ANYWHERE
    found: Where = somewhere
    readers: set[str] = field(default_factory=set)
    """Roles that find what is asked about; none: those that pass the door."""
    allowed: Where | None = None
    """Who among them may do it; None: whoever finds it."""
    actors: set[str] = field(default_factory=set)
    body: Callable[[Walked, str], Any] | None = None
    """What is sent with an unsafe method; None: nothing is done there by one."""
    query: dict[str, str] = field(default_factory=dict)
    get: tuple[int, ...] = (200,)
    done: tuple[int, ...] = (200, 201, 302)
    given: dict[str, Any] = field(default_factory=dict)
    """Values of the address that are not those of the place."""
    refused: tuple[int, ...] = (403, 404, 409)
    """What comes where somebody may not."""
    codes: bool = False
    """The follow-up code is sent: whoever knows it sees the matter."""
    json: bool = False
    ready: str = ""


def _text(world: Walked, place: str) -> dict[str, Any]:
    return {"text": "Lời viết", "items": "Giấy", "outcome": "settled"}


def _act(name: str, readers: set[str], body: Callable[[Walked, str], Any] = _text) -> Example:
    return Example(
        places=("own", "sibling", "foreign"),
        found=matter_in_reach,
        readers=READERS,
        allowed=matter_in_reach,
        actors=readers,
        get=(405,),
        body=body,
        ready=name,
    )


def _extension(world: Walked, place: str) -> dict[str, Any]:
    case = world.places[place].case
    assert case is not None
    for promise in Obligation.system("walker").open().filter(matter=case.pk).select_related("term"):
        for rule in promise.term.extensions:
            return {"clock": f"{promise.pk}:{rule['code']}", "ground": "Vụ việc phức tạp", "decision": "1/QĐ"}
    return {"clock": "none", "ground": "Vụ việc phức tạp"}


def _matter(world: Walked, place: str) -> dict[str, Any]:
    return {
        "id": str(uuid4()),
        "procedure": "FB-01",
        "unit": world.places["own"].unit.slug,
        "text": "Đường tối",
        "name": "Hoa",
        "phone": "0900000001",
    }


def _intake(world: Walked, place: str) -> dict[str, Any]:
    return {
        "submission": str(uuid4()),
        "procedure": "FB-01",
        "text": "Đường tối",
        "name": "Hoa",
        "channel": "desk",
        **_day("received_on", today()),
        "received_at": "08:30",
        "unit": world.places[place].unit.slug,
    }


def table() -> Any:
    from django.core.files.uploadedfile import SimpleUploadedFile

    return SimpleUploadedFile("table.csv", b"code,cases\n98001,4\n98002,7\n", "text/csv")


def _code(world: Walked, place: str) -> dict[str, str]:
    return {"code": world.codes["own"]}


def _hold(world: Walked, place: str) -> dict[str, Any]:
    case = world.places[place].case
    assert case is not None
    return {"submission": str(uuid4()), "reference": case.reference, "ground": "7/QĐ", "reason": "Cần cho vụ án"}


def _officer(world: Walked, place: str) -> dict[str, Any]:
    return {"officer": str(world.places[place].things["officer"].pk)}


def _day(name: str, day: Any) -> dict[str, Any]:
    return {f"{name}_day": day.day, f"{name}_month": day.month, f"{name}_year": day.year}


_WORK = {"officer", "chief", "oversight"}
_DESK = {"duty_officer", "officer", "chief", "oversight"}
_CHIEF = {"chief", "oversight"}
_HEADS = {"chief", "dispatcher", "oversight"}
_HAND = {"duty_officer", "officer", "chief", "dispatcher", "oversight"}
_CASE = Example(places=MATTERS, found=matter_in_reach, readers=READERS)
_ACT = Example(places=RECORDS, found=province_in_reach, readers={"registrar"})
_TOKEN = Example(get=(404, 410))
_PAGE = Example()
_FORM = Example(body=_text, done=(200, 201, 302, 303, 409, 422))
_SENT = Example(get=(405,), body=_text, done=(200, 201, 302, 303, 404, 409, 422))
_ABSENT = Example(get=(404, 405), body=_text, done=(404,))


def _is(example: Example, **changes: Any) -> Example:
    from dataclasses import replace

    return replace(example, **changes)


EXAMPLES: dict[str, Example] = {
    **dict.fromkeys(
        [
            "home",
            "accessibility",
            "own_account",
            "conversions",
            "notices",
            "open_data",
            "people",
            "privacy",
            "procedures",
            "procedure",
            "search",
            "units",
            "terms",
            "terms_file",
            "calendar",
            "procedure_register",
            "procedures_file",
            "audit_desk",
            "audit_list",
            "audit_checkpoint",
            "command",
            "case_list",
            "forgotten",
            "own_sessions",
            "api_calendar_years",
            "api_calendar_days",
            "api_procedure_list",
            "api_procedure_detail",
            "api_results_of_all",
            "api_term_table",
            "api_unit_tree",
            "api_description",
            "api_worklist",
            "api_owed_list",
            "api_cases_in_reach",
            "programs",
            "retention",
            "openings",
            "overseers",
            "hold_list",
        ],
        _PAGE,
    ),
    **dict.fromkeys(
        [
            "desk",
            "invite",
            "terms_import",
            "procedures_import",
            "calendar_day",
            "unit_acts",
            "report",
        ],
        _FORM,
    ),
    "term": _is(_FORM, given={"code": "FB-01.answer"}),
    "case_intake": Example(places=("own",), body=_intake, done=(200, 403, 409, 422)),
    **dict.fromkeys(("unit", "unit_results", "api_unit_detail", "api_results_of_unit"), Example(places=MATTERS[:4])),
    "api_unit_search": Example(query={"q": "Then"}),
    "api_units_restate": Example(
        get=(405,), body=lambda w, p: {"file": table(), "start": "2026-01-01", "end": "2026-11-23"}, done=(200, 422)
    ),
    "api_nothing": Example(get=(404,)),
    "api_case_in_reach": _CASE,
    "api_owed_in_full": _CASE,
    "api_follow_matter": Example(get=(405,), body=_code, codes=True, json=True),
    "api_follow_message": Example(
        get=(405,), body=lambda w, p: _code(w, p) | {"text": "Còn tối"}, codes=True, json=True
    ),
    "api_follow_files": Example(get=(405,), body=lambda w, p: _code(w, p) | {"text": "x"}, codes=True, done=(200, 422)),
    "api_bring": Example(get=(405,), body=_matter, json=True),
    "api_bring_with_files": Example(get=(405,), body=_matter, done=(200, 201, 422)),
    "case": _CASE,
    "case_receipt": _CASE,
    "case_file": _CASE,
    "obligation": _CASE,
    "audit_matter": _CASE,
    "case_reveal": Example(
        places=MATTERS,
        found=matter_in_reach,
        readers=READERS,
        allowed=matter_in_reach,
        actors=NAMED,
        get=(405,),
        body=lambda w, p: {"reason": "contact", "note": "gọi lại"},
        done=(200,),
    ),
    "case_take": _act("", _WORK),
    "case_accept": _is(_act("accept", _WORK), places=("complaint",)),
    "case_answer": _act("answer", _WORK),
    "case_supply": _act("supply", _DESK),
    "case_close": _is(_act("close", _CHIEF), places=("own", "sibling", "foreign", "complaint")),
    "case_ask": _act("", _WORK),
    "case_message": _act("", _DESK),
    "case_note": _act("", _DESK),
    "case_assign": _act("", _HEADS, _officer),
    "case_send": _act("", _HAND, lambda w, p: {"to_body": "UBND xã", "text": "Thẩm quyền"}),
    "case_recall": _act("recall", _HAND),
    "case_acknowledge": _act("acknowledge", _HAND, lambda w, p: {"number": "12/UBND"}),
    "case_extend": _act("", _CHIEF, _extension),
    "case_apologise": _act(
        "", _DESK, lambda w, p: {"text": "Xin lỗi", **_day("new_date", today() + timedelta(days=9))}
    ),
    "case_correct": _act("", _HEADS, lambda w, p: {"kind": "CR-01", "ground": "Đúng loại"}),
    "case_reopen": _act("reopen", _HEADS),
    "case_withdraw": _act("", _DESK),
    "case_recuse": _is(
        _act("", _HAND, lambda w, p: {"reason": "Là họ hàng", "sure": "on"}), places=(*RECORDS, "complaint", "recused")
    ),
    "case_concern": _is(
        _act("", {"oversight"}, lambda w, p: {"officer": str(w.people["pao"].pk), "reason": "Bị nêu tên"}),
        places=("own", "complaint"),
    ),
    "hold_place": Example(
        places=HELD,
        allowed=held_in_reach,
        actors={"oversight"},
        get=(405,),
        body=_hold,
        done=(302,),
        refused=(422,),
    ),
    "hold_lift": Example(
        places=HELD,
        found=held_in_reach,
        readers={"oversight"},
        get=(405,),
        body=lambda w, p: {"because": "Đã hết cần"},
        done=(302,),
    ),
    "notice_seen": Example(
        places=RECORDS,
        found=unit_in_reach,
        readers=READERS - {"oversight"},
        allowed=serves_there,
        actors=READERS,
        get=(405,),
        body=_text,
    ),
    "give_role": Example(
        places=RECORDS,
        found=unit_in_reach,
        readers={"administrator", "oversight"},
        allowed=unit_in_reach,
        actors={"administrator"},
        body=lambda w, p: {"role": "chief", "unit": w.places[p].unit.slug, **_day("first_day", today())},
        done=(302,),
        refused=(403, 404, 422),
    ),
    "end_grant": Example(
        places=RECORDS,
        found=unit_in_reach,
        readers={"auditor", "administrator"},
        allowed=unit_in_reach,
        actors={"administrator"},
        get=(405,),
        body=_text,
    ),
    "withdraw_invitation": Example(
        places=RECORDS, found=unit_in_reach, readers={"administrator"}, get=(405,), body=_text
    ),
    "person_sign_in": Example(
        places=RECORDS,
        found=unit_in_reach,
        readers={"administrator", "oversight"},
        allowed=unit_in_reach,
        actors={"administrator"},
        body=lambda w, p: {"what": "sessions", "reason": "left"},
        done=(200, 302, 422),
    ),
    "unit_contact": Example(
        places=RECORDS,
        found=unit_in_reach,
        readers={"chief", "registrar"},
        body=lambda w, p: {"duty_phone": "0213 000"},
    ),
    "command_unit": Example(places=RECORDS, found=unit_in_reach, readers={"commander", "auditor"}),
    "unit_act": _ACT,
    # An act without steps has nothing to show, and says so.
    "unit_act_preview": _is(_ACT, get=(200, 403)),
    **dict.fromkeys(("unit_act_parts", "unit_act_step"), _is(_ACT, get=(405,), body=_text, done=(200, 302, 409, 422))),
    **dict.fromkeys(
        ("unit_act_check", "unit_act_schedule", "unit_act_step_remove"),
        _is(_ACT, get=(405,), body=_text, done=(200, 302, 403, 404, 422)),
    ),
    "calendar_day_remove": _is(_FORM, get=(200, 404), done=(200, 302, 404, 422)),
    "calendar_year_decide": _is(_SENT, body=lambda w, p: {"decree": "9/TB"}, given={"year": 2027}),
    "audit_sample": Example(query={"seed": "a1", "before": "2026-11-23"}),
    "audit_draw": Example(get=(405,), body=lambda w, p: {"seed": "a1", "before": "2026-11-23"}),
    "audit_bundle": Example(get=(405,), body=lambda w, p: {"first": "1"}),
    "follow": Example(body=_code, codes=True),
    "follow_file": Example(get=(405,), places=("own",), body=_code, codes=True),
    "report_step": _TOKEN,
    "accept_invitation": _TOKEN,
    "recover_account": _TOKEN,
    "go_on": Example(get=(200, 302)),
    "theme": _SENT,
    "keep_alive": _SENT,
    "end_own_sessions": _SENT,
    "demo": _ABSENT,
    "gallery": _ABSENT,
    **dict.fromkeys(
        [
            "demo_put_back",
            "demo_restated",
            "demo_sit",
            "demo_story",
            "demo_tampered",
            "demo_twice",
        ],
        _ABSENT,
    ),
}
"""By name of the route. The pages of sign-in that come from a library are asked for, and sent nothing."""

LIBRARY = Example(get=(200, 302, 403, 404, 405))


def example(name: str) -> Example | None:
    if name.startswith("/gallery/"):
        return _ABSENT
    if name.startswith(("account_", "mfa_")):
        return LIBRARY
    return EXAMPLES.get(name)


def arguments(world: Walked, example: Example, parameters: tuple[str, ...], place: str) -> dict[str, Any]:
    """Return the values of an address for a place."""
    there = world.places[place]
    case = there.ready.get(example.ready, there.case)
    things = {name: getattr(thing, "pk", thing) for name, thing in there.things.items()}
    known: dict[str, Any] = {
        **things,
        "case": case and case.pk,
        "matter": case and case.pk,
        "slug": there.unit.slug,
        "code": "FB-01",
        "draft": UUID(int=1, version=4),
        "step": "what",
        "token": "none",
        "rest": "nothing",
        "position": 1,
        "day": "2026-11-26",
        "year": 2026,
        "pk": 1,
    }
    missing = [name for name in parameters if known.get(name) is None]
    assert not missing, f"no example of {missing} at {place}"
    return {name: known[name] for name in parameters}
