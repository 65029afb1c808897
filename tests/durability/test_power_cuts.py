"""No acknowledged word, picture or receipt is lost to a power cut; weaker servers do lose some, in the same run."""

import pytest

from tests.durability import power_cuts, shadow

pytestmark = pytest.mark.sqlite

CUTS = 4


@pytest.fixture(scope="module")
def shim():
    return shadow.build()


@pytest.fixture(scope="module")
def base(prepared):
    power_cuts.collect(prepared.home)
    return prepared.home


def test_nothing_acknowledged_is_lost_to_power_cuts(base, tmp_path, shim):
    full = power_cuts.series(base, tmp_path / "full", shim, cuts=CUTS, seed=7)
    assert full.unseen == [] and full.wrong_answers == []
    assert full.damaged == [] and full.lost == [] and full.duplicated == []
    assert full.cuts == CUTS and full.receipts >= CUTS and full.syncs > full.receipts


@pytest.mark.parametrize("weak", power_cuts.CONTROLS)
def test_a_weaker_server_loses_what_it_acknowledged(base, tmp_path, shim, weak):
    control = power_cuts.series(base, tmp_path / "weak", shim, cuts=2, seed=7, weak=weak)
    assert control.unseen == [] and control.receipts > 0
    assert control.lost or control.damaged, "the simulation would not notice a loss"
