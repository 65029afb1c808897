"""No page asks a question of the database for each of its rows: twelve matters cost what two cost."""

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from gandan.access import today
from gandan.cases import actions, results
from gandan.cases.models import Case

pytestmark = pytest.mark.django_db
LIMITS = {"desk": 16, "case_list": 20, "command": 16, "home": 16, "case": 40}
"""The most that a page may ask, whatever stands on it."""


def some(world, number):
    """Bring matters of several kinds: untouched, in hand, waiting for papers, on their way, answered."""
    for n in range(number):
        case = world.case(("FB-01", "RE-02", "CR-01", "VR-01")[n % 4], text=f"Việc số {n}")
        if n % 5:
            actions.take(case=case, by=world.actor(("pao", "mai")[n % 2]))
        if n % 5 == 2:
            actions.ask_papers(case=case, items=["Giấy tờ"], by=world.actor("pao"))
        if n % 5 == 3:
            actions.send(case=case, text="Thuộc xã bên", to_unit=world.binh, by=world.actor("pao"))
        if n % 5 == 4:
            actions.answer(case=case, text="Đã xong.", by=world.actor(("pao", "mai")[n % 2]))


def asked(desk, name, *arguments):
    place = reverse(name, args=arguments)
    assert desk.get(place).status_code == 200
    with CaptureQueriesContext(connection) as queries:
        desk.get(place)
    assert len(queries) <= LIMITS[name], "\n".join(query["sql"][:120] for query in queries.captured_queries)
    return len(queries)


@pytest.mark.parametrize(
    ("name", "who"),
    [
        ("desk", "pao"),
        ("desk", "chief"),
        ("case_list", "pao"),
        ("case_list", "lan"),
        ("case_list", "dispatcher"),
        ("command", "commander"),
        ("home", None),
    ],
)
def test_a_list_asks_the_same_whatever_its_length(world, at_desk, name, who):
    desk = at_desk(who).client if who else Client()
    some(world, 10)
    few = asked(desk, name)
    some(world, 20)
    assert asked(desk, name) == few


def test_a_matter_asks_the_same_whatever_has_happened_to_it(world, at_desk):
    case = world.case("RE-02")
    pao = world.actor("pao")
    actions.take(case=case, by=pao)
    actions.ask_papers(case=case, items=["Giấy tờ"], by=pao)
    desk = at_desk("chief").client
    few = asked(desk, "case", case.pk)
    for n in range(8):
        actions.note(case=case, text=f"Ghi chú {n}", by=pao)
        actions.message_out(case=case, text=f"Tin {n}", by=pao)
    assert asked(desk, "case", case.pk) == few


def test_what_is_counted_as_open_is_what_waits_for_an_answer(world):
    some(world, 10)
    found = results.of_units([world.an, world.binh], today().replace(day=1), today().replace(day=28))
    unfinished = Case.system("test").unfinished()
    assert [each.open for each in found] == [unfinished.filter(holder=unit).count() for unit in (world.an, world.binh)]
    assert found[0].open > 0 and found[0].settled > 0
    plain = results.of_units([world.an], today().replace(day=1), today().replace(day=28), medians=False)[0]
    assert plain.median_days is None and (plain.received, plain.settled) == (found[0].received, found[0].settled)
