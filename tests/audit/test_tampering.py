"""Whoever owns the database cannot change the record unseen; only the last kinds need a checkpoint kept elsewhere."""

import random

import pytest
from django.db import connection, transaction

from gandan.audit import chain, verifying
from gandan.audit.models import AuditCheckpoint, AuditEntry
from tests.audit.conftest import ENTRIES, SIGNED
from tests.audit.tampering import KINDS, Forger

pytestmark = pytest.mark.django_db

TIMES = 1000
NEED_A_CHECKPOINT_ELSEWHERE = {"rewrite", "cut_the_end_and_mend_the_head", "all_gone", "checkpoint_deleted"}


@pytest.fixture
def unguarded(record):
    """The record with its triggers off, as somebody who owns the database would have it."""
    with connection.cursor() as cursor:
        for model in (AuditEntry, AuditCheckpoint):
            table = model._meta.db_table
            for event in ("update", "delete"):
                on = f" ON {table}" if connection.vendor == "postgresql" else ""
                cursor.execute(f"DROP TRIGGER {table}_no_{event}{on}")
    return record


def tampered(forger, what) -> tuple[tuple[int, str], ...]:
    """Return what a verification finds after `what`; the record is whole again afterwards."""
    outside = verifying.read_outside(forger.outside)
    with transaction.atomic():
        what(forger)
        faults = verifying.verify(outside=outside).faults
        transaction.set_rollback(True)
    return faults


def forger(record, seed) -> Forger:
    made = Forger(random.Random(seed), ENTRIES, SIGNED[-1])
    made.outside = record
    return made


def test_an_untouched_record_holds_against_everything_that_is_kept(record):
    found = verifying.verify(outside=verifying.read_outside(record))
    assert found.intact and found.entries == found.last == ENTRIES
    part = verifying.verify(outside=verifying.read_outside(record), from_checkpoint=True)
    assert part.intact and part.entries == ENTRIES - SIGNED[-1] and part.head == found.head


def test_a_thousand_tamperings_are_found(unguarded, figure):
    hand = forger(unguarded, 20261123)
    kinds: dict[str, int] = {}
    missed = []
    for number in range(TIMES):
        kind = sorted(KINDS)[hand.dice.randrange(len(KINDS))]
        kinds[kind] = kinds.get(kind, 0) + 1
        if not tampered(hand, KINDS[kind]):
            missed.append(f"{kind}, number {number}")
    whole = verifying.verify(outside=verifying.read_outside(unguarded)).intact
    figure(
        12,
        "tampering",
        title="Changes of the record by whoever owns the database, found by verifying",
        target="1,000 of 1,000, with a checkpoint kept elsewhere",
        command="python -m pytest tests/audit/test_tampering.py --results benchmarks/results/audit",
        figures={"changes": TIMES, "found": TIMES - len(missed), "kinds": len(kinds), "missed": missed[:20]},
        kept=not missed,
    )
    figure.control("tampering", "an untouched record is told to be whole", noticed=whole)
    assert not missed
    assert sum(kinds.values()) == TIMES and set(kinds) == set(KINDS)
    assert whole, "the control: nothing was left behind"


@pytest.mark.parametrize("kind", sorted(NEED_A_CHECKPOINT_ELSEWHERE))
def test_what_is_written_anew_with_care_is_found_only_from_outside(unguarded, kind, figure):
    hand = forger(unguarded, 7)
    with transaction.atomic():
        KINDS[kind](hand)
        unseen = verifying.verify().intact
        words = f"without a checkpoint elsewhere verifying misses {kind.replace('_', ' ')}"
        figure.control("tampering", words, noticed=unseen)
        assert unseen, "without a checkpoint elsewhere this looks whole"
        assert not verifying.verify(outside=verifying.read_outside(unguarded)).intact
        transaction.set_rollback(True)


def test_the_triggers_refuse_what_the_forger_needs(record):
    hand = forger(record, 1)
    for kind in ("update", "delete", "checkpoint_altered", "checkpoint_deleted"):
        with pytest.raises(Exception, match="append-only"), transaction.atomic():
            KINDS[kind](hand)


def test_a_checkpoint_for_another_record_or_by_another_key_is_told(record):
    line = verifying.read_outside(record)[0]
    from uuid import UUID

    from gandan.audit import checkpoints

    strange = checkpoints.sign(b"another key", seq=line.seq, hash=line.hash, at=line.at, instance=line.instance)
    assert (line.seq, "signature") in verifying.verify(outside=[strange]).faults
    public = checkpoints.public_key(b"another key")
    assert verifying.verify(outside=[strange], trusted=[public]).intact
    from django.conf import settings

    elsewhere = checkpoints.sign(
        settings.GANDAN_KEYS["audit"], seq=line.seq, hash=line.hash, at=line.at, instance=UUID(int=5, version=4)
    )
    assert (line.seq, "instance") in verifying.verify(outside=[elsewhere]).faults


def test_an_empty_record_is_whole(db):
    found = verifying.verify()
    assert found.intact and (found.entries, found.head) == (0, chain.GENESIS)
