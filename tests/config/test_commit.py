"""On PostgreSQL an act gives the head of the record up before the disk has its commit, and is acknowledged after."""

import pytest
from django.db import connection, transaction

from gandan.access import SystemActor
from gandan.audit import actions, verifying
from gandan.audit.models import AuditEntry

pytestmark = [pytest.mark.postgresql, pytest.mark.django_db(transaction=True)]


def shown(setting):
    with connection.cursor() as cursor:
        cursor.execute(f"SHOW {setting}")
        return cursor.fetchone()[0]


def test_an_act_is_on_the_disk_when_its_commit_returns():
    for _ in range(20):
        with transaction.atomic():
            actions.record("unit.draft", by=SystemActor("test"))
            assert shown("synchronous_commit") == "off", "its locks go before the disk has it"
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_current_wal_insert_lsn()")
                written = cursor.fetchone()[0]
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_current_wal_flush_lsn() > %s::pg_lsn", [written])
            assert cursor.fetchone()[0], "what was written in the transaction is flushed"
        assert shown("synchronous_commit") == "on", "only that transaction committed early"
    assert verifying.verify().intact


def test_a_transaction_without_an_entry_commits_as_ever():
    with transaction.atomic():
        assert shown("synchronous_commit") == "on"


def test_what_is_rolled_back_owes_the_disk_nothing():
    with pytest.raises(ZeroDivisionError), transaction.atomic():
        actions.record("unit.draft", by=SystemActor("test"))
        raise ZeroDivisionError
    assert not connection._owes_the_disk and not AuditEntry.system("test").exists()


def test_without_the_second_wait_the_early_commit_would_not_be_on_the_disk():
    """The control: a commit that waits for nobody is found behind the end of what is on the disk."""
    behind = 0
    for _ in range(50):
        with connection.cursor() as cursor:
            cursor.execute("SET synchronous_commit = off")
            try:
                cursor.execute("SELECT pg_logical_emit_message(true, 'test', repeat('x', 4000))")
                cursor.execute("SELECT pg_current_wal_insert_lsn() > pg_current_wal_flush_lsn()")
                behind += cursor.fetchone()[0]
            finally:
                cursor.execute("SET synchronous_commit = on")
    assert behind > 0
