"""A record of some length, with checkpoints in the database and outside."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from django.db import transaction

from gandan.audit import actions

MONDAY = datetime(2026, 11, 23, 2, tzinfo=UTC)
ENTRIES, SIGNED = 60, (20, 40, 55)


def write(count: int, first: int = 1) -> None:
    """Append entries that differ in every column, some with empty ones."""
    actors = [UUID(int=n, version=4) for n in range(1, 4)]
    with transaction.atomic():
        actions.record_history(
            actions.prepare(
                ("case.take", "case.answer", "identity.reveal")[n % 3],
                at=MONDAY + timedelta(seconds=n, microseconds=n % 2),
                actor_id=actors[n % 3] if n % 5 else None,
                grant_id=UUID(int=100 + n, version=4),
                capability="case.read" if n % 4 else "",
                object_type="cases.case",
                object_id=UUID(int=1000 + n, version=4),
                unit_id=UUID(int=7, version=4) if n % 2 else None,
                reason='mã "lý do" \\ ờ' if n % 7 == 0 else f"code-{n}",
                values={"n": n} if n % 3 else None,
            )
            for n in range(first, first + count)
        )


@pytest.fixture
def outside(settings, tmp_path):
    """The folder for checkpoints outside the database."""
    settings.GANDAN_CHECKPOINTS = tmp_path / "elsewhere"
    return settings.GANDAN_CHECKPOINTS


@pytest.fixture
def record(db, outside):
    """Sixty entries, signed at 20, 40 and 55."""
    before = 0
    for number in SIGNED:
        write(number - before, before + 1)
        actions.make_checkpoint(MONDAY + timedelta(hours=number))
        before = number
    write(ENTRIES - before, before + 1)
    return outside
