"""A second implementation, by other authors, gives the same estimates on random designs."""

import warnings

import numpy as np
import pytest

from gandan.inference.design import Design
from gandan.inference.estimates import estimate_domains

pytestmark = pytest.mark.agnostic


def drawn(seed):
    rng = np.random.default_rng(seed)
    strata, units = int(rng.integers(2, 6)), int(rng.integers(2, 6))
    n = strata * units * 5
    stratum = np.repeat(np.arange(strata), units * 5)
    return {
        "stratum": stratum,
        "unit": np.repeat(np.arange(strata * units), 5),
        "weight": rng.uniform(1, 20, n),
        "fpc": (units + 3.0 + stratum),
        "y": rng.normal(40, 6, n),
        "x": rng.uniform(5, 9, n),
        "domain": rng.integers(0, 3, n),
    }


@pytest.mark.parametrize("seed", range(6))
def test_another_implementation_gives_the_same_estimates(seed):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import polars as pl
        import svy

        data = drawn(seed)
        size = "fpc" if seed % 2 else None
        sample = svy.Sample(pl.DataFrame(data), svy.Design(stratum="stratum", psu="unit", wgt="weight", pop_size=size))
        theirs = {
            "mean": sample.estimation.mean("y", by="domain").to_polars().sort("domain"),
            "total": sample.estimation.total("y", by="domain").to_polars().sort("domain"),
            "ratio": sample.estimation.ratio("y", "x", by="domain").to_polars().sort("domain"),
        }
    design = Design(data["weight"], data["stratum"], data["unit"], None if size is None else data["fpc"])
    for stat, found in theirs.items():
        below = data["x"] if stat == "ratio" else None
        e = estimate_domains(design, data["y"], data["domain"], stat=stat, denominator=below)
        np.testing.assert_allclose(found["est"].to_numpy(), e.est[:, 0], rtol=1e-11)
        np.testing.assert_allclose(found["se"].to_numpy(), e.se[:, 0], rtol=1e-10)
