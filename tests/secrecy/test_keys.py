"""The key that locks all others is replaced, verified and brought back; what is destroyed stays shut."""

import argparse

import pytest

from gandan.cases.models import CaseIdentity
from gandan.secrecy import commandline, keys, rotation, vault
from gandan.secrecy.fields import unlock
from gandan.secrecy.models import DataKey

pytestmark = pytest.mark.django_db


def run(*arguments):
    parser = argparse.ArgumentParser()
    commandline.add_arguments(parser)
    return commandline.run(parser.parse_args([str(each) for each in arguments]))


def name_of(case):
    row = CaseIdentity.system("test").get(case=case)
    unlock([row])
    return row.name


def test_a_key_is_readable_by_its_owner_only(own_keys):
    assert (own_keys / "kek-1.key").stat().st_mode & 0o777 == 0o400


def test_after_rotation_everything_opens_with_the_new_key_and_nothing_with_the_old(world, own_keys):
    cases = [world.case() for _ in range(3)]
    old = vault.key(1)
    wrapped = {row.pk: bytes(row.wrapped) for row in DataKey.objects.all()}
    assert run("rotate") == 0 and run("verify") == 0
    assert {name_of(case) for case in cases} == {"Lò Thị Hoa"}
    for row in DataKey.objects.all():
        assert row.kek == 2 and bytes(row.wrapped) != wrapped[row.pk]
        with pytest.raises(vault.Unopened):
            vault.unwrap(bytes(row.wrapped), old)
    assert set(vault.versions()) == {2} and set(vault.versions(retired=True)) == {1, 2}
    assert name_of(world.case()) == "Lò Thị Hoa"


def test_a_rotation_that_was_killed_is_finished_by_the_next(world, monkeypatch):
    cases = [world.case() for _ in range(5)]
    monkeypatch.setattr(rotation, "BATCH", 2)
    real, rounds = rotation._rewrap, []

    def killed(version, locking):
        if rounds:
            raise KeyboardInterrupt
        rounds.append(1)
        return real(version, locking)

    monkeypatch.setattr(rotation, "_rewrap", killed)
    with pytest.raises(KeyboardInterrupt):
        rotation.rotate()
    assert {name_of(case) for case in cases} == {"Lò Thị Hoa"}, "both keys are there in between"
    monkeypatch.setattr(rotation, "_rewrap", real)
    assert rotation.rotate().version == 2 and rotation.verify().opened == DataKey.objects.count()
    assert {name_of(case) for case in cases} == {"Lò Thị Hoa"}


def test_a_damaged_data_key_fails_the_verification_and_stops_the_rotation(world, own_keys):
    world.case()
    DataKey.objects.update(wrapped=b"\x00" * 40)
    assert run("verify") == 1
    assert run("rotate") == 1 and 1 in vault.versions(), "the old key stays"


def test_a_lost_key_is_said_and_never_replaced_by_a_new_one(world, own_keys):
    case = world.case()
    (own_keys / "kek-1.key").unlink()
    vault._read.cache_clear()
    with pytest.raises(vault.KeyMissing, match="kek-1"):
        name_of(case)
    with pytest.raises(vault.KeyMissing, match="recover"):
        keys.current()
    assert not vault.versions()


@pytest.mark.parametrize("chosen", [(1, 2), (1, 3), (2, 3), (3, 1)])
def test_any_two_holders_bring_the_keys_back(world, own_keys, tmp_path, chosen):
    case = world.case()
    (own_keys / "master.key").write_bytes(b"m" * 32)
    assert run("escrow", tmp_path / "shares") == 0
    shares = [tmp_path / f"shares/share-{n}.txt" for n in chosen]
    assert run("escrow-test", *shares) == 0
    for path in own_keys.iterdir():
        path.unlink()
    vault._read.cache_clear()
    assert run("recover", *shares) == 0
    assert name_of(case) == "Lò Thị Hoa" and (own_keys / "master.key").read_bytes() == b"m" * 32


def test_shares_that_are_old_altered_foreign_or_single_are_refused(world, own_keys, tmp_path):
    world.case()
    assert run("escrow", tmp_path / "a") == 0 and run("escrow", tmp_path / "b") == 0
    one, two = tmp_path / "a/share-1.txt", tmp_path / "a/share-2.txt"
    assert run("escrow", tmp_path / "a") == 3, "never over other shares"
    assert run("escrow-test", one, one) == 2 and run("escrow-test", one, tmp_path / "none") == 2
    assert run("escrow-test", one, tmp_path / "b/share-2.txt") == 2
    text = two.read_text()
    altered = tmp_path / "altered.txt"
    altered.write_text(text[:-3] + ("A" if text[-3] != "A" else "B") + text[-2:])
    assert run("escrow-test", one, altered) == 2
    assert run("rotate") == 0
    assert run("escrow-test", one, two) == 1, "they do not hold the new key"
    (own_keys / "kek-2.key").chmod(0o600)
    assert run("recover", one, two) == 0, "the retired key may come back beside the new one"
    (own_keys / "kek-1.key").chmod(0o600)
    (own_keys / "kek-1.key").write_bytes(b"x" * 32)
    assert run("recover", one, two) == 3
