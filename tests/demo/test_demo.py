"""The invented province: the same from the same seed, whole by its own check, and absent from real life."""

import hashlib
from datetime import date, datetime

import pytest
from django.db import transaction
from django.test import Client

from gandan.access import SystemActor, clock
from gandan.cases.models import Case
from gandan.demo import build, place
from gandan.obligations import replay
from gandan.units import actions as units
from gandan.units import register
from gandan.units.models import Reorganisation, Unit

pytestmark = pytest.mark.django_db


def test_its_shape_is_lai_chaus():
    kinds = [commune.type for commune in place.old_communes()]
    assert (kinds.count("Xã"), kinds.count("Phường"), kinds.count("Thị trấn")) == (94, 5, 7)
    assert [c.type for c in place.new_communes()].count("Xã") == 36 and len(place.new_communes()) == 38
    assert sorted(place.PARTS) == [1] * 2 + [2] * 15 + [3] * 12 + [4] * 7 + [5] * 2


def test_no_official_unit_bears_one_of_its_names():
    official = {register.fold(entry.name) for entry in register.from_reference().entries}
    invented = {*place.NAMES, place.PROVINCE_NAME, *(name for _code, _kind, name, *_ in place.DISTRICTS)}
    assert not {name for name in invented if register.fold(name) in official}
    assert not register.from_reference()._by_code.get(place.PROVINCE_CODE)


def digest() -> str:
    columns = ("reference", "received_at", "title", "holder__title", "answered_at")
    return hashlib.sha256(
        repr(list(Case.system("test").order_by("reference").values_list(*columns))).encode()
    ).hexdigest()


def test_the_same_seed_gives_the_same_province(db, settings):
    settings.GANDAN_DEMO = True
    digests = []
    for seed in (7, 7, 8):
        with transaction.atomic():
            build.Builder(seed, 150, lambda what, share: None).run()
            digests.append(digest())
            transaction.set_rollback(True)
    assert digests[0] == digests[1] != digests[2]


def test_before_the_merger_its_act_waits_for_its_day(db, settings, move_to):
    settings.GANDAN_DEMO = True
    move_to(datetime.fromisoformat("2025-06-23T09:00:00").replace(tzinfo=clock.VIETNAM))
    build.Builder(7, 200, lambda what, share: None).run()
    waiting = Reorganisation.system("test").get(effective_on=date(2025, 7, 1))
    assert waiting.state == "scheduled" and Unit.objects.filter(level="commune", valid_to=None).count() == 106
    crossing = Case.system("test").unfinished().filter(holder__level="commune").first()
    move_to(datetime.fromisoformat("2025-07-01T07:30:00").replace(tzinfo=clock.VIETNAM))
    units.bring_into_force(act=waiting, by=SystemActor("work", "unit.enact"))
    assert Unit.objects.filter(level="commune", valid_to=None).count() == 38
    assert crossing.holder_id != Case.system("test").get(pk=crossing.pk).holder_id
    assert list(replay.check()) == []


def test_outside_the_demo_there_are_no_chairs(db, settings):
    settings.GANDAN_DEMO = False
    assert Client().get("/demo/").status_code == 404
    assert Client().post("/demo/sit/", {"role": "officer"}).status_code == 404
