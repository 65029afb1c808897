"""The questions that the database is asked, against the same rule told in plain Python, over invented worlds."""

from datetime import date, timedelta
from typing import Any
from uuid import UUID

import pytest
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gandan.access import sql, today
from gandan.access.roles import Role
from gandan.accounts.models import User
from gandan.cases.models import Case, Procedure
from gandan.staffing.authority import GrantAuthority
from gandan.staffing.models import Concern, Grant
from gandan.units import reach
from gandan.units.models import Placement, Reorganisation, Succession, Unit, province_of
from tests.access.examples import READERS
from tests.access.oracle import Oracle

pytestmark = pytest.mark.django_db
BEGIN = date(2018, 1, 1)


@st.composite
def worlds(draw: Any) -> dict[str, Any]:
    """Draw a tree of two provinces with communes, some of which ended into others, and who and what is there."""
    day = st.integers(-1000, 400)
    communes = draw(st.lists(st.tuples(st.integers(0, 1), st.integers(1, 900)), min_size=3, max_size=7))
    ended = draw(st.lists(st.tuples(st.integers(0, 6), st.integers(0, 6)), max_size=4))
    role = st.sampled_from([str(role) for role in Role])
    grants = st.tuples(st.integers(0, 3), role, st.integers(0, 9), day, st.none() | st.integers(0, 900))
    about = st.tuples(
        st.integers(0, 5), st.sampled_from(["unit", "officer", "recused"]), st.integers(0, 9), st.integers(0, 3)
    )
    return {
        "communes": communes,
        "ended": ended,
        "grants": draw(st.lists(grants, min_size=2, max_size=10)),
        "concerns": draw(st.lists(about, max_size=5)),
        "holders": draw(st.lists(st.integers(0, 9), min_size=6, max_size=6)),
    }


def make(drawn: dict[str, Any]) -> tuple[list[User], list[Case]]:
    """Write a drawn world into the tables of facts, and let the house derive the rest."""

    def unit(level: str, number: int, above: Unit | None) -> Unit:
        found = Unit.objects.create(level=level, slug=f"u{number}", title=f"U{number}", valid_from=BEGIN)
        if above is not None:
            Placement.objects.create(unit=found, chain="police", parent=above, valid_from=BEGIN)
        return found

    country = unit("country", 0, None)
    provinces = [unit("province", 1, country), unit("province", 2, country)]
    communes = [unit("commune", 3 + number, provinces[seat]) for number, (seat, _) in enumerate(drawn["communes"])]
    act = Reorganisation.objects.create(
        decree="1", title="", decided_on=BEGIN, effective_on=BEGIN, seat=country, state="in_force"
    )
    gone: set[UUID] = set()
    for one, other in drawn["ended"]:
        old, new = communes[one % len(communes)], communes[other % len(communes)]
        on = today() - timedelta(days=drawn["communes"][one % len(communes)][1])
        if old == new or old.pk in gone or new.pk in gone:
            continue
        gone.add(old.pk)
        Unit.objects.filter(pk=old.pk).update(valid_to=on)
        Placement.objects.filter(unit=old).update(valid_to=on)
        if (one + other) % 4:  # some end without a successor: what they left goes to the superior
            Succession.objects.create(act=act, predecessor=old, successor=new, part="whole", on=on)
    reach.rebuild()
    units = [country, *provinces, *communes]
    users = [User.objects.create_user(f"user{number}", None) for number in range(4)]
    for who, role, where, start, length in drawn["grants"]:
        first = today() + timedelta(days=start)
        last = first + timedelta(days=length) if length is not None else None
        where_ = units[where % len(units)]
        Grant.system("oracle").get_or_create(
            user=users[who], role=role, unit=where_, valid_from=first, defaults={"valid_to": last}
        )
    procedure = Procedure.objects.create(code="X", kind="x", group="report", name_vi="x", name_en="x", valid_from=BEGIN)
    oracle = Oracle.read(today())
    cases = []
    for number, where in enumerate(drawn["holders"]):
        holder = units[1 + where % (len(units) - 1)]
        # The province of a row is that of whoever answers for its unit today.
        answering = next((Unit.objects.get(pk=each) for each in _line(oracle, holder.pk) if oracle.alive(each)), holder)
        cases.append(
            Case.objects.create(
                reference=f"R{number}",
                procedure=procedure,
                channel="web",
                received_by=holder,
                holder=holder,
                province=province_of(answering, today()),
                received_at=f"{today()}T00:00:00Z",
                recorded_at=f"{today()}T00:00:00Z",
                submission=UUID(int=number),
                digest="",
            )
        )
    for matter, kind, where, who in drawn["concerns"]:
        Concern.objects.create(
            matter=cases[matter].pk,
            kind=kind,
            unit=units[where % len(units)] if kind != "recused" else None,
            user=users[who] if kind != "unit" else None,
        )
    return users, cases


def _line(oracle: Oracle, unit: UUID) -> list[UUID]:
    found = [unit]
    while (following := oracle.heir(found[-1])) is not None and following not in found:
        found.append(following)
    return found


def compare(drawn: dict[str, Any]) -> None:
    with transaction.atomic():
        sql.forget()
        users, cases = make(drawn)
        oracle = Oracle.read(today())
        for user in users:
            actor = GrantAuthority().actor(user)
            seen = set(Case.for_(actor, "case.read").values_list("pk", flat=True))
            told = {case.pk for case in cases if oracle.may(user.pk, READERS, case.holder_id, case.pk)}
            assert seen == told, (user.username, [c.reference for c in cases if (c.pk in seen) != (c.pk in told)])
        transaction.set_rollback(True)
    sql.forget()


QUIET = {
    "suppress_health_check": [HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.data_too_large],
}


def in_worlds(number: int, figure: Any) -> None:
    """Compare in so many worlds, and say in how many the answers differ."""
    seen, told = [0], ""

    @settings(max_examples=number, **QUIET)
    @given(worlds())
    def each(drawn: dict[str, Any]) -> None:
        seen[0] += 1
        compare(drawn)

    try:
        each()
    except AssertionError as difference:
        told = str(difference).splitlines()[0]
    figure(
        6,
        "oracle",
        title="Invented worlds in which the database answers otherwise than the rule",
        target="none in 5,000",
        command="python -m pytest tests/access/test_oracle.py --results benchmarks/results/access",
        figures={"worlds": seen[0], "differing": int(bool(told)), "first": told},
        kept=not told and seen[0] >= 5_000,
        settings={"worlds": number},
        note="" if seen[0] >= 5_000 else f"{seen[0]} worlds instead of 5,000",
    )
    assert not told, told
    assert seen[0] >= number


def test_in_two_hundred_worlds_the_database_answers_as_the_rule_says(db, figure):
    in_worlds(200, figure)


@pytest.mark.long
def test_in_five_thousand_worlds_the_database_answers_as_the_rule_says(db, figure):
    in_worlds(5_000, figure)


def test_the_comparison_fails_when_concerns_are_forgotten(db, monkeypatch, figure):
    from django.db.models import Q

    monkeypatch.setattr(GrantAuthority, "about", lambda self, actor: Q(pk__in=[]))
    with pytest.raises(AssertionError):
        compare(
            {
                "communes": [(0, 1), (0, 1), (1, 1)],
                "ended": [],
                "grants": [(0, "officer", 3, -9, None)],
                "concerns": [(0, "recused", 0, 0)],
                "holders": [2, 2, 2, 2, 2, 2],
            }
        )
    figure.control("oracle", "a question that forgets concerns", noticed=True)
