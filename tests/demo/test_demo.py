"""The invented province: the same from the same seed, whole by its own check, and absent from real life."""

import hashlib
from datetime import date

import pytest
from django.db import transaction
from django.test import Client

from gandan.access import now
from gandan.audit.actions import verify
from gandan.cases.models import Case, CaseEvent
from gandan.demo import build, place
from gandan.obligations import replay
from gandan.obligations.models import Obligation, ObligationEvent
from gandan.units import register
from gandan.units.models import Unit

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


def test_it_is_whole_and_its_promises_crossed_the_merger(demo_province):
    assert Case.system("test").count() == 1_500
    assert list(replay.check()) == [] and verify().intact
    assert Unit.objects.filter(level="commune", valid_to=None).count() == 38
    assert CaseEvent.system("test").filter(kind="succeeded").exists()
    assert ObligationEvent.system("test").filter(kind="transferred").exists()
    ended = Unit.objects.filter(valid_to=date(2025, 7, 1)).values("pk")
    assert not Obligation.system("test").open().filter(owed_by__in=ended).exists()
    assert Obligation.system("test").overdue(now()).exists(), "a desk without a late promise shows nothing"
    endings = set(Obligation.system("test").values_list("ending", flat=True))
    assert endings == {"", "discharged", "handed_over", "withdrawn"}


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


def test_outside_the_demo_there_are_no_chairs(db, settings):
    settings.GANDAN_DEMO = False
    assert Client().get("/demo/").status_code == 404
    assert Client().post("/demo/sit/", {"role": "officer"}).status_code == 404
