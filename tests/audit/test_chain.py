"""The record binds each entry to the one before."""

from datetime import UTC, datetime, timedelta, timezone
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gandan.audit import chain

pytestmark = pytest.mark.agnostic

MONDAY = datetime(2026, 11, 23, 7, 30, tzinfo=UTC)


def entries(count):
    rows, previous = [], chain.GENESIS
    for seq in range(1, count + 1):
        row = dict.fromkeys(chain.FIELDS, "") | {
            "seq": seq,
            "at": MONDAY,
            "object_id": UUID(int=seq),
            "action": "case.take",
        }
        row["hash"] = previous = chain.link(previous, row)
        rows.append(row)
    return rows


def test_an_untouched_chain_is_whole():
    verdict = chain.verify(entries(20))
    assert verdict.intact and verdict.entries == 20


@given(st.integers(0, 19), st.sampled_from(["action", "reason", "capability"]))
def test_one_altered_word_is_found(position, field):
    rows = entries(20)
    rows[position][field] = "altered"
    assert (position + 1, "altered") in chain.verify(rows).faults


@given(st.integers(0, 18))
def test_a_missing_entry_is_found(position):
    rows = entries(20)
    del rows[position]
    assert not chain.verify(rows).intact


@given(st.integers(0, 18))
def test_two_exchanged_entries_are_found(position):
    rows = entries(20)
    rows[position], rows[position + 1] = rows[position + 1], rows[position]
    assert not chain.verify(rows).intact


def test_a_cut_tail_keeps_the_chain_whole_and_only_the_head_tells():
    whole, cut = entries(20), entries(20)[:15]
    verdict = chain.verify(cut)
    assert verdict.intact and verdict.head != chain.verify(whole).head


def test_one_instant_has_one_spelling():
    hanoi = MONDAY.astimezone(timezone(timedelta(hours=7)))
    assert chain.canonical({"at": MONDAY}) == chain.canonical({"at": hanoi}) == b'{"at":"2026-11-23T07:30:00.000000Z"}'


def test_a_commitment_needs_its_key():
    values = {"name": "Hoa"}
    assert chain.commit(b"a" * 32, values) == chain.commit(b"a" * 32, dict(values))
    assert chain.commit(b"a" * 32, values) != chain.commit(b"b" * 32, values)


@given(
    st.fixed_dictionaries(
        {
            "seq": st.integers(1, 2**62),
            "at": st.datetimes(timezones=st.just(UTC)),
            **{name: st.none() | st.uuids() for name in ("actor_id", "grant_id", "object_id", "unit_id")},
            **{
                name: st.text(st.characters(exclude_categories=["Cs"]))
                for name in ("capability", "action", "object_type", "reason", "commitment")
            },
        }
    )
)
def test_the_fast_reading_spells_an_entry_as_the_writing_does(row):
    row["hash"] = chain.link(chain.GENESIS, row)
    assert chain.verify([row], first=row["seq"]).intact
