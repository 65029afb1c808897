"""What was erased is noted beside the keys: all of it, and nothing that was put back."""

from datetime import timedelta

import pytest
from django.db import transaction

from gandan.access import now
from gandan.secrecy import retention
from gandan.secrecy.models import DataKey, Hold, Tombstone

pytestmark = pytest.mark.django_db


def noted(own_keys):
    path = own_keys / "erased"
    return path.read_text() if path.exists() else ""


def test_an_erasure_that_is_rolled_back_is_not_noted(world, own_keys, django_capture_on_commit_callbacks):
    case = world.case()
    with django_capture_on_commit_callbacks(execute=True), pytest.raises(RuntimeError), transaction.atomic():
        retention.erase(case.pk, "test")
        raise RuntimeError("the commit failed")
    assert DataKey.objects.filter(matter=case.pk).exists() and noted(own_keys) == ""
    assert retention.replay_tombstones() == 0 and world.fresh(case).text
    with django_capture_on_commit_callbacks(execute=True):
        retention.erase(case.pk, "test")
        assert noted(own_keys) == "", "not before the end"
    assert noted(own_keys) == f"{case.pk.hex} test\n"


def test_what_was_erased_just_before_the_program_died_is_noted_by_the_next_run(world, own_keys):
    case, other = world.case(), world.case()
    retention.erase(case.pk, "one")  # never committed as the test sees it: nothing is noted
    retention.erase(other.pk, "two")
    (own_keys / "erased").write_text(f"{other.pk.hex} two\n{case.pk.hex[:9]}")
    retention.run(now(), dry_run=True)
    assert case.pk.hex not in noted(own_keys)
    for _ in range(2):
        retention.run(now())
        assert noted(own_keys) == f"{other.pk.hex} two\n{case.pk.hex[:9]}\n{case.pk.hex} one\n"
    (own_keys / "erased").unlink()
    retention.run(now())
    assert set(retention._noted()) == {case.pk, other.pk}


def test_a_restored_copy_keeps_what_is_under_a_hold_in_it_until_it_is_lifted(world, own_keys, move_to, caplog):
    from gandan.cases import actions

    held, free = world.case(), world.case()
    for case in (held, free):
        actions.withdraw(case=case, by=world.actor("pao"), text="Bà Hoa rút đơn.")
    hold = Hold.objects.create(matter=held.pk, ground="15/QĐ-VKS", placed_at=now())
    retention._note([(held.pk, "retention:1"), (free.pk, "retention:1")])
    assert retention.replay_tombstones() == 1 and "1 matters" in caplog.text
    assert not DataKey.objects.filter(matter=free.pk).exists()
    assert DataKey.objects.filter(matter=held.pk).exists() and world.fresh(held).text
    assert not Tombstone.objects.filter(matter=held.pk).exists()
    Hold.system("test").filter(pk=hold.pk).update(lifted_at=now())
    move_to(now() + timedelta(days=4000))
    retention.tick(now())
    assert world.fresh(held).text == "" and not DataKey.objects.filter(matter=held.pk).exists()
