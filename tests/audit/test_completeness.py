"""Whatever changes a watched table leaves an entry in the same transaction; the watch itself would notice."""

import pytest
from django.apps import apps
from django.db import connection, transaction

from gandan.access import ANONYMOUS, now
from gandan.audit import actions, completeness
from gandan.obligations import actions as obligations
from gandan.obligations.models import CalendarYear, Notice, Obligation
from tests.audit.watching import Watch

pytestmark = pytest.mark.django_db


@pytest.fixture
def changed():
    """Return a function that gives what an act left unrecorded."""

    def look(act):
        before = completeness.counts()
        with transaction.atomic():
            act()
        return completeness.unrecorded(before, completeness.counts())

    return look


@pytest.mark.parametrize(
    "act",
    [
        lambda: CalendarYear.objects.create(year=2101, status="decided"),
        lambda: CalendarYear.objects.bulk_create([CalendarYear(year=2102, status="decided")]),
        lambda: CalendarYear.objects.filter(year=2100).update(decree="x"),
        lambda: CalendarYear.objects.filter(year=2100).delete(),
        lambda: connection.cursor().execute("UPDATE obligations_calendaryear SET decree = 'x' WHERE year = 2100"),
    ],
    ids=["saved", "in bulk", "by a query", "deleted", "by raw SQL"],
)
def test_a_change_without_an_entry_is_noticed_however_it_is_made(changed, act):
    CalendarYear.objects.create(year=2100, status="decided")
    assert changed(act) == ["obligations_calendaryear"]
    CalendarYear.objects.get_or_create(year=2100, defaults={"status": "decided"})

    def with_entry():
        act()
        actions.record("calendar.edit", by=ANONYMOUS)

    CalendarYear.objects.filter(year__in=(2101, 2102)).delete()
    assert changed(with_entry) == []


def test_what_is_rolled_back_is_no_change():
    before = completeness.counts()
    with transaction.atomic():
        CalendarYear.objects.create(year=2100, status="decided")
        transaction.set_rollback(True)
    assert completeness.counts() == before


def test_a_planted_act_of_ours_without_an_entry_fails_its_test(cast, watched_acts, monkeypatch, figure):
    """The control: an action of the house whose entry is taken away."""
    case = cast.brings().case
    owed = Obligation.system("test").filter(matter=case.pk).first()
    notice = Notice.objects.create(unit=cast.na_then, matter=case.pk, obligation=owed, kind="reminder", at=now())
    assert not watched_acts.faults and watched_acts.acts > 3
    monkeypatch.setattr(obligations.clocks.audit, "record", lambda *_, **__: None)
    obligations.see_notice(notice=notice, by=cast.actor("pao"))
    noticed = any("clocks.py" in fault and "obligations_notice" in fault for fault in watched_acts.faults)
    figure.control("completeness", "an act of ours whose entry is taken away", noticed=noticed)
    assert noticed
    watched_acts.faults.clear()


def test_a_single_write_of_ours_outside_a_transaction_is_an_act_too(cast, watched_acts, monkeypatch):
    from gandan.units import models

    monkeypatch.setattr("tests.audit.watching.whose", lambda: "src/gandan/planted.py:1")
    models.Unit.objects.filter(pk=cast.na_then.pk).update(slug="other")
    assert watched_acts.faults == ["src/gandan/planted.py:1 changed units_unit without an entry in the record"]
    watched_acts.faults.clear()


def test_an_act_inside_an_act_is_the_same_act():
    watch = Watch()
    with watch.act(connection), watch.act(connection):
        CalendarYear.objects.create(year=2100, status="decided")
        actions.record("calendar.edit", by=ANONYMOUS)
    assert watch.acts == 1 and not watch.faults


def test_every_table_of_the_house_is_watched_or_left_out_for_a_reason():
    labels = {model._meta.label for model in apps.get_models()}
    assert set(completeness.UNWATCHED) <= labels and all(completeness.UNWATCHED.values())
    assert len(completeness.watched()) > 20


def test_the_counting_can_be_switched_off_and_on_again():
    CalendarYear.objects.create(year=2100, status="decided")
    assert completeness.counts()["obligations_calendaryear"] == 1
    completeness.remove()
    CalendarYear.objects.create(year=2101, status="decided")
    assert completeness.install() == len(completeness.watched())
    assert completeness.counts() == {}
