"""Acts done without an address: the row has been found already, and only the rule of the act stands in the way.

Each says what is done and, in the words of the oracle and of how the world was made, whether it may be. Nothing here
asks a rule of the house what it thinks of itself.
"""

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple
from uuid import uuid4

from gandan.access import ANONYMOUS, Refused
from gandan.access.actor import Actor
from gandan.cases import actions as cases
from gandan.cases import catalogue, concerns, holds
from gandan.cases.desk_forms import AssignForm
from gandan.cases.models import Case
from gandan.staffing import actions as staffing
from gandan.staffing.authority import GrantAuthority
from tests.access.world import Walked

UNITS = ("own", "sibling", "cousin", "foreign")
RECORDS = ("own", "sibling", "foreign")
_DESK = {"duty_officer", "officer", "chief", "dispatcher"}
_WORK = {"officer", "chief", "oversight"}


class Act(NamedTuple):
    places: tuple[str, ...]
    """Where it is done; after a space, what was done to the matter before."""
    do: Callable[[Walked, str, Actor], Any]
    told: Callable[[Walked, Any, str], bool]
    """Whether it may be done there by this person."""
    people: bool = True
    """Whether it matters who acts; otherwise nobody in particular does."""
    every: int = 10
    """Each how many-th person tries it in the short walk."""


def _coming(world: Walked, place: str, code: str) -> dict[str, Any]:
    procedure = catalogue.in_force(code)
    assert procedure is not None
    return {
        "submission": uuid4(),
        "procedure": procedure,
        "unit": world.places[place].unit,
        "channel": "desk",
        "text": "Đường tối",
        "identity": {"name": "Hoa"},
    }


def _matter(world: Walked, place: str) -> Case:
    where, _, stage = place.partition(" ")
    there = world.places[where]
    case = there.ready[stage] if stage else there.case
    assert case is not None
    return Case.system("walker").select_related("procedure", "holder").get(pk=case.pk)


def _superior(world: Walked, place: str) -> Actor:
    """Return whoever may give and put right the matters of a place."""
    name = "oversight@parent" if place.startswith("complaint") else f"chief-{place}"
    return GrantAuthority().actor(world.people[name])


def _reaches(roles: set[str]) -> Callable[[Walked, Any, str], bool]:
    return lambda world, user, place: world.oracle.may(user, roles, world.places[place].unit.pk)


def _receive(world: Walked, place: str, by: Actor) -> None:
    cases.receive(**_coming(world, place, "FB-01"), by=by)


def _receive_about_us(world: Walked, place: str, by: Actor) -> None:
    cases.receive(**_coming(world, place, "CO-01"), by=by)


def _settle(world: Walked, place: str, by: Actor) -> None:
    cases.settle_on_the_spot(answer="Đã sửa đèn", **_coming(world, place, "FB-01"), by=by)


def _settle_a_crime(world: Walked, place: str, by: Actor) -> None:
    """Close on the spot what the law orders to be handed over."""
    cases.settle_on_the_spot(answer="Đã khuyên giải", **_coming(world, place, "CR-01"), by=by)


def _assign(world: Walked, place: str, by: Actor) -> None:
    from gandan.accounts.models import User

    officer = User.objects.get(pk=by.user_id)
    cases.assign(case=_matter(world, place), officer=officer, by=_superior(world, place))


def _works(world: Walked, user: Any, place: str) -> bool:
    case = _matter(world, place)
    return world.oracle.may(user, _WORK, case.holder_id, case.pk)


def _offer(world: Walked, place: str, by: Actor) -> None:
    """Look for somebody in the list of those to whom the matter can be given."""
    form = AssignForm(case=_matter(world, place), by=_superior(world, place))
    field: Any = form.fields["officer"]
    if not field.queryset.filter(pk=by.user_id).exists():
        raise Refused("not in the list")


def _offered(world: Walked, user: Any, place: str) -> bool:
    holder = _matter(world, place).holder_id
    serves = any(held.user == user and held.unit == holder and held.role in _WORK for held in world.oracle.grants)
    return serves and _works(world, user, place)


def _reopen(world: Walked, place: str, by: Actor) -> None:
    cases.reopen(case=_matter(world, place), text="Vẫn tối", by=ANONYMOUS, from_citizen=True)


def _rate(world: Walked, place: str, by: Actor) -> None:
    cases.rate(case=_matter(world, place), score=5, told_until_when=True, by=ANONYMOUS)


def _rate_again(world: Walked, place: str, by: Actor) -> None:
    _rate(world, place, by)
    _rate(world, place, by)


def _become(code: str, *, anonymous: bool = False) -> Callable[[Walked, str, Actor], None]:
    def do(world: Walked, place: str, by: Actor) -> None:
        case = _matter(world, place)
        if anonymous:
            coming = _coming(world, place, "FB-01") | {"anonymous": True, "identity": {}}
            case = cases.receive(**coming, by=ANONYMOUS).case
        procedure = catalogue.in_force(code)
        assert procedure is not None
        cases.correct(case=case, procedure=procedure, ground="Đúng loại", by=_superior(world, place))

    return do


def _give(role: str, *, to_oneself: bool = False) -> Callable[[Walked, str, Actor], None]:
    def do(world: Walked, place: str, by: Actor) -> None:
        from gandan.accounts.models import User

        user = User.objects.get(pk=by.user_id) if to_oneself else world.people["xuan"]
        staffing.give_grant(user=user, role=role, unit=world.places[place].unit, by=by)

    return do


def _invite(world: Walked, place: str, by: Actor) -> None:
    staffing.invite(username="new", full_name="New", rank="", role="officer", unit=world.places[place].unit, by=by)


def _withdraw(world: Walked, place: str, by: Actor) -> None:
    staffing.withdraw_invitation(invitation=world.places[place].things["invitation"], by=by)


def _hold(world: Walked, place: str, by: Actor) -> None:
    holds.place(case=_matter(world, place), ground="2/QĐ", reason="Cần giữ", submission=uuid4(), by=by)


def _lift(world: Walked, place: str, by: Actor) -> None:
    holds.lift(hold=world.places[place].things["hold"], because="Hết cần", by=by)


def _step_back(world: Walked, place: str, by: Actor) -> None:
    concerns.step_back(case=_matter(world, place), reason="Là họ hàng", by=by)


def _may_step_back(world: Walked, user: Any, place: str) -> bool:
    case = _matter(world, place)
    return world.oracle.may(user, {*_DESK, "oversight"}, case.holder_id, case.pk)


def _name_officer(world: Walked, place: str, by: Actor) -> None:
    concerns.name_officer(case=_matter(world, place), officer=world.people["xuan"], reason="Bị nêu tên", by=by)


def _may_name(world: Walked, user: Any, place: str) -> bool:
    case = _matter(world, place)
    return world.oracle.may(user, {"oversight"}, case.holder_id, case.pk)


def _inspects(world: Walked, user: Any, place: str) -> bool:
    case = _matter(world, place)
    return world.oracle.may(user, {"oversight"}, case.holder_id, case.pk, set())


def _always(answer: bool) -> Callable[[Walked, Any, str], bool]:
    return lambda world, user, place: answer


ACTS: dict[str, Act] = {
    "receive": Act(UNITS, _receive, lambda w, user, p: user is None or _reaches(_DESK)(w, user, p)),
    "receive about us": Act(
        UNITS, _receive_about_us, lambda w, user, p: user is None or _reaches({*_DESK, "oversight"})(w, user, p)
    ),
    "settle": Act(UNITS, _settle, _reaches({"officer", "chief"})),
    "settle a crime": Act(("own",), _settle_a_crime, lambda w, user, p: False, every=1),
    "assign": Act((*RECORDS, "complaint"), _assign, _works),
    # Those whom a complaint concerns are few among many who serve there.
    "offer": Act(("complaint",), _offer, _offered, every=1),
    # What was answered, and neither withdrawn nor sent on, is opened again.
    "reopen": Act(("own close", "own reopen"), _reopen, _always(True), people=False),
    "reopen too early": Act(
        ("own", "own answer", "own supply", "own recall", "predecessor"), _reopen, _always(False), people=False
    ),
    "rate": Act(("own close", "sibling reopen"), _rate, _always(True), people=False),
    "rate too early": Act(("own", "own answer", "own supply"), _rate, _always(False), people=False),
    "rate again": Act(("own close",), _rate_again, _always(False), people=False),
    "rate what is about us": Act(("complaint close",), _rate, _always(False), people=False),
    "become another kind": Act(RECORDS, _become("CR-01"), _always(True), people=False),
    "become the same kind": Act(RECORDS, _become("FB-01"), _always(False), people=False),
    "become a kind that needs a name": Act(RECORDS, _become("CR-01", anonymous=True), _always(False), people=False),
    "give": Act(UNITS, _give("duty_officer"), _reaches({"administrator"})),
    "give a watch": Act(UNITS, _give("auditor"), _reaches({"oversight"})),
    "give to oneself": Act(RECORDS, _give("registrar", to_oneself=True), _always(False)),
    "invite": Act(UNITS, _invite, _reaches({"administrator"})),
    "hold": Act((*RECORDS, "complaint", "recused"), _hold, _inspects),
    "lift": Act((*RECORDS, "complaint", "recused"), _lift, _inspects),
    "step back": Act((*RECORDS, "complaint", "recused"), _step_back, _may_step_back),
    "name an officer": Act(("own", "complaint"), _name_officer, _may_name),
    "withdraw the invitation": Act(RECORDS, _withdraw, _reaches({"administrator"})),
}


def done(world: Walked, name: str, place: str, who: str) -> bool:
    """Do an act; return whether it was done. Whoever calls puts everything back."""
    actor = GrantAuthority().actor(world.people[who]) if who else ANONYMOUS
    try:
        ACTS[name].do(world, place, actor)
    except Refused:
        return False
    return True


def told(world: Walked, name: str, place: str, who: str) -> bool:
    """Say whether an act may be done."""
    return ACTS[name].told(world, world.user_id(who), place)


def cells(world: Walked, actors: list[str], *, whole: bool) -> Iterator[tuple[str, str, str]]:
    """Return acts with place and person: everybody everywhere when `whole`, else some, and whoever may."""
    for number, (name, act) in enumerate(ACTS.items()):
        for turn, place in enumerate(act.places):
            if not act.people:
                yield name, place, ""
                continue
            some = actors[0 if whole else (number * 3 + turn) % act.every :: 1 if whole else act.every]
            first = [next(iter(who for who in actors if told(world, name, place, who)), actors[0])]
            yield from ((name, place, who) for who in dict.fromkeys([*some, *first]))
