"""A design is checked once and says what is wrong with it."""

import pickle
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from gandan import inference
from gandan.inference.design import Design, Stage, compact
from gandan.inference.errors import SENTENCES, InferenceError
from gandan.inference.estimates import estimate_domains

pytestmark = pytest.mark.agnostic

W = np.ones(4)


@pytest.mark.parametrize(
    ("make", "code", "words"),
    [
        (lambda: Design([]), "empty-data", "no row"),
        (lambda: Design([1, 0, 1, 1]), "weight-not-positive", "row 1 has 0.0"),
        (lambda: Design([1, 1, -2, 1]), "weight-not-positive", "row 2 has -2.0"),
        (lambda: Design([1, np.nan, 1]), "weight-not-positive", "row 1 has nan"),
        (lambda: Design([1, np.inf, 1]), "weight-not-positive", "row 1 has inf"),
        (lambda: Design([[1, 1], [1, 1]]), "length-mismatch", "weight"),
        (lambda: Design(W, [1, 1, 2]), "length-mismatch", "strata"),
        (lambda: Design(W, ["a", "", "b", "b"]), "missing-code", "strata is missing in row 1"),
        (lambda: Design(W, [1, np.nan, 2, 2]), "missing-code", "row 1"),
        (
            lambda: Design(W, psu=np.array(["a", None, "b", "b"], dtype=object)),
            "missing-code",
            "psu is missing in row 1",
        ),
        (lambda: Design(W, fpc=3), "fpc-smaller-than-sample", "4 sampled units but a population of 3.0"),
        (lambda: Design(W, ["n", "n", "s", "s"], fpc=[9, 9, 1, 1]), "fpc-smaller-than-sample", "stratum s"),
        (lambda: Design(W, fpc=[9, 9, 8, 9]), "fpc-varies", "stratum"),
        (lambda: Design(W, ["n", "n", "s", "s"], fpc=[0.2, 0.2, 9, 9]), "fpc-mixed", "stratum s a population of 9.0"),
        (lambda: Design(W, fpc=1), "fpc-smaller-than-sample", "4 sampled units but a population of 1.0"),
        (lambda: Design(W, fpc=-0.5), "fpc-smaller-than-sample", "a population of -0.5"),
        (lambda: Design(W, fpc=[9, 9, np.nan, 9]), "not-finite", "row 2"),
        (lambda: Design(W, psu=[1, 1, 2, 2], stages=(Stage(np.arange(4)),)), "stages-without-fpc", "stage 1"),
        (
            lambda: Design(W, psu=[1, 1, 2, 2], fpc=9, stages=(Stage([1, 1, 2, 2]), Stage(np.arange(4)))),
            "stages-without-fpc",
            "stage 2",
        ),
        (lambda: Design(W, lonely="merge"), "option-unknown", "'merge'"),
        (lambda: estimate_domains(Design(W, [0, 0, 0, 1]), np.ones(4)), "lonely-psu", "stratum 1"),
        (lambda: estimate_domains(Design([1.0]), [3.0]), "lonely-psu", "only one primary sampling unit"),
    ],
)
def test_a_faulty_design_is_refused_with_its_cause(make, code, words):
    with pytest.raises(InferenceError) as refused:
        make()
    assert refused.value.code == code
    assert words in str(refused.value)


def test_an_error_keeps_its_facts_when_it_travels():
    error = InferenceError("lonely-psu", stratum="north", strata=2)
    again = pickle.loads(pickle.dumps(error))  # noqa: S301
    assert (again.code, again.facts, str(again)) == (error.code, error.facts, str(error))
    assert str(InferenceError("unheard-of", row=3)) == "unheard-of: row=3"
    assert all(name == name.lower() and "_" not in name for name in SENTENCES)


def test_arrays_of_a_design_are_copies_that_nobody_changes():
    weight = np.ones(4)
    design = Design(weight, [1, 1, 2, 2])
    weight[0] = 9
    assert design.weight[0] == 1
    with pytest.raises(ValueError, match="read-only"):
        design.weight[0] = 2


def test_units_are_numbered_within_their_stratum():
    design = Design(W, ["a", "a", "b", "b"], [1, 2, 1, 2])
    assert design.levels[0].sampled.tolist() == [2, 2]
    assert design.df == 2
    assert Design(W).df == 3


def test_levels_carry_the_shares_of_the_stages_before():
    design = Design(
        np.ones(8), ["a"] * 4 + ["b"] * 4, [1, 1, 2, 2] * 2, [4] * 4 + [8] * 4, (Stage(np.arange(8), fpc=[5] * 8),)
    )
    first, second = design.levels
    assert first.fraction.tolist() == [0.5, 0.25]
    assert second.factor.tolist() == [0.5, 0.5, 0.25, 0.25]
    assert second.fraction.tolist() == [0.4] * 4


def test_a_population_may_be_given_as_the_share_that_was_sampled():
    strata = ["a", "a", "b", "b"]
    by_share, by_size = Design(W, strata, fpc=[0.25, 0.25, 1, 1]), Design(W, strata, fpc=[8, 8, 2, 2])
    assert by_share.levels[0].fraction.tolist() == by_size.levels[0].fraction.tolist() == [0.25, 1.0]


def test_codes_of_any_kind_are_compacted_alike():
    given = [5, -2, 5, 10**12, 7]
    for codes in (np.array(given), np.array(given, dtype=float), np.array([str(each) for each in given])):
        labels, places = compact(codes)
        assert labels[places].tolist() == codes.tolist()
        assert sorted(labels.tolist()) == labels.tolist()
    labels, places = compact(np.array([3, 1, 3]))
    assert (labels.tolist(), places.tolist()) == ([1, 3], [1, 0, 1])


def test_every_public_name_is_had_from_the_package():
    for name in inference.__all__:
        found = getattr(inference, name)
        assert found is getattr(sys.modules[found.__module__], name)
        assert found.__module__.startswith("gandan.inference.")
        assert found.__doc__, f"{name} says nothing about itself"
    assert {*inference.__all__} <= {*dir(inference)}
    with pytest.raises(AttributeError, match="no attribute 'median'"):
        _ = inference.median


def test_no_module_hides_a_function_of_its_name():
    folder = Path(inference.__file__).parent
    assert {path.stem for path in folder.glob("*.py")}.isdisjoint(inference.__all__)


def test_the_interface_of_the_package_is_whole():
    promised = """Design Stage Estimates Cells estimate_domains collapse estimate_cells domain_cov contrast quantiles
        poststratify rake calibrate trim replicate_weights replicate_estimate Replicates fay_herriot smooth_variances
        benchmark rank_sets tau_best tau_worst rank_sets_multinomial joint_rank_region tiers allocate select
        sample_size plan_separation restate InferenceError"""
    assert {*promised.split()} <= {*inference.__all__}


def test_asking_for_a_name_loads_what_it_needs_and_no_more():
    words = "import sys; from gandan.inference import restate, InferenceError; sys.exit('numpy' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", words], check=False).returncode == 0


def test_the_package_and_restating_load_without_numpy():
    words = "import sys, gandan.inference, gandan.inference.correspondence; sys.exit('numpy' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", words], check=False).returncode == 0


def test_estimates_load_without_scipy():
    words = (
        "import sys, gandan.inference.estimates, gandan.inference.calibration, gandan.inference.replicates, "
        "gandan.inference.sampling; sys.exit('scipy' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", words], check=False).returncode == 0
