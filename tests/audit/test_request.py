"""Refusals, readings and sign-ins stand in the record, also when what they tell of was rolled back."""

from datetime import datetime, timedelta
from types import SimpleNamespace
from uuid import uuid4

import pytest
from django.db import transaction
from django.test import Client
from django.urls import reverse

from gandan.access import ANONYMOUS, Refused, now
from gandan.access.clock import VIETNAM
from gandan.audit import actions, chain, verifying
from gandan.audit.models import AuditEntry
from gandan.obligations.models import Obligation

BACKEND = "allauth.account.auth_backends.AuthenticationBackend"


def entries(action):
    return list(AuditEntry.system("test").filter(action=action).order_by("seq"))


@pytest.fixture
def signed_in(cast):
    def come(name):
        client = Client()
        client.force_login(cast.people[name], backend=BACKEND)
        return client

    return come


@pytest.mark.django_db
def test_a_page_that_the_role_does_not_include_is_recorded_with_who_asked(cast, signed_in):
    assert signed_in("pao").get(reverse("audit_desk")).status_code == 403
    (entry,) = entries("access.refused")
    assert entry.actor_id == cast.people["pao"].pk and entry.reason == "GET audit_desk"
    assert entry.capability == "audit.read"


@pytest.mark.django_db
def test_a_matter_out_of_reach_is_absent_to_the_asker_and_recorded_for_the_auditor(cast, signed_in):
    case = cast.brings().case
    assert signed_in("lan").get(reverse("case", args=[case.pk])).status_code == 404
    (entry,) = entries("access.not_found")
    assert (entry.actor_id, entry.object_id) == (cast.people["lan"].pk, case.pk)


@pytest.mark.django_db
def test_what_a_visitor_does_leaves_nothing(cast):
    case = cast.brings().case
    before = AuditEntry.system("test").count()
    for path in (reverse("case", args=[case.pk]), reverse("audit_desk"), reverse("home"), "/nowhere/"):
        Client().get(path)
    assert AuditEntry.system("test").count() == before


@pytest.mark.django_db
def test_opening_a_promise_is_recorded_once_in_a_quarter_of_an_hour(cast, signed_in, move_to):
    client = signed_in("pao")
    owed = Obligation.system("test").filter(matter=cast.brings().case.pk).first()
    for minutes in (0, 5, 14, 20):
        move_to(datetime(2026, 11, 23, 9, tzinfo=VIETNAM) + timedelta(minutes=minutes))
        assert client.get(reverse("obligation", args=[owed.pk])).status_code == 200
    assert [(e.object_id, e.actor_id) for e in entries("access.read")] == [(owed.pk, cast.people["pao"].pk)] * 2


@pytest.mark.django_db
def test_two_readers_are_two_readings(cast, signed_in):
    case = cast.brings().case
    for name in ("pao", "truc"):
        signed_in(name).get(reverse("case", args=[case.pk]))
    assert not entries("access.read"), "a matter's own room writes its readings, once"
    assert {e.actor_id for e in entries("case.read")} == {cast.people["pao"].pk, cast.people["truc"].pk}


@pytest.mark.django_db
def test_coming_leaving_and_being_turned_away_are_recorded_without_what_was_typed(cast):
    user = cast.people["pao"]
    user.set_password("một câu dài để vào")
    user.save()
    client, address = Client(), reverse("account_login")
    client.post(address, {"login": user.username, "password": "wrong"})
    client.post(address, {"login": user.username, "password": "một câu dài để vào"})
    client.post(reverse("account_logout"))
    (failed,) = entries("sign_in.failed")
    assert failed.actor_id is None and len(failed.commitment) == 64
    assert user.username not in str(vars(failed))
    assert [e.actor_id for e in entries("sign_in.came") + entries("sign_in.left")] == [user.pk, user.pk]
    assert verifying.verify().intact


@pytest.mark.django_db
def test_what_is_told_apart_survives_the_rollback_of_the_request():
    with pytest.raises(Refused), actions.writing_afterwards(), transaction.atomic():
        actions.record("case.take", by=ANONYMOUS)
        actions.record_apart("access.refused", by=ANONYMOUS, object_id=uuid4())
        raise Refused("no")
    assert not entries("case.take") and len(entries("access.refused")) == 1
    assert verifying.verify().intact


@pytest.mark.django_db
def test_an_entry_without_a_transaction_is_refused_and_a_commitment_needs_the_key(settings):
    with transaction.atomic():
        entry = actions.record("case.take", by=ANONYMOUS, values={"phone": "0900000001"}, at=now())
    assert entry.commitment == chain.commit(settings.GANDAN_KEYS["audit"], {"phone": "0900000001"})
    assert entry.commitment != chain.commit(b"a guess at the key", {"phone": "0900000001"})
    assert "0900000001" not in str(vars(entry))


@pytest.mark.django_db
def test_an_entry_outside_a_transaction_is_a_fault(monkeypatch):
    monkeypatch.setattr(actions, "connection", SimpleNamespace(in_atomic_block=False))
    with pytest.raises(RuntimeError, match="in the transaction of its action"):
        actions.record("case.take", by=ANONYMOUS)
