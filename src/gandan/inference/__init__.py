"""What the numbers allow: pure functions on arrays that say how sure one may be.

Estimates from designed samples, small areas, rank sets, sampling plans, figures restated onto another map, and
what may be published. It sees codes and numbers, never persons; it takes one stream at a time.

Everything public may be had from here, by name, or from the module that holds it: `from gandan.inference import
estimate_domains`, or `from gandan.inference.estimates import estimate_domains`. Importing the package itself loads
neither numpy nor scipy: a module is loaded when one of its names is asked for. `compose` is not among the names, since
criteria and successions both have one: ask `composite` or `correspondence`.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from gandan.inference.calibration import Residualizer, Trimmed, calibrate, kish, poststratify, rake, trim
    from gandan.inference.cells import Cells, collapse
    from gandan.inference.composite import Composite, Sensitivity, weight_sensitivity
    from gandan.inference.correspondence import Link, Restated, chain, check_links, restate
    from gandan.inference.design import Design, Stage
    from gandan.inference.disclosure import (
        Disclosure,
        Suppression,
        Verdict,
        check_release,
        publishable,
        restated_cells,
        rounded,
        suppress,
        tabulate,
    )
    from gandan.inference.errors import InferenceError
    from gandan.inference.estimates import (
        Contrast,
        Estimates,
        Quantiles,
        brewer_variance,
        contrast,
        domain_cov,
        estimate_cells,
        estimate_domains,
        horvitz_thompson_variance,
        quantiles,
        yates_grundy_variance,
    )
    from gandan.inference.flags import Flags
    from gandan.inference.ranking import (
        MarginalRankSets,
        RankSets,
        TauSet,
        Tiers,
        groups,
        joint_rank_region,
        marginal_rank_sets,
        rank_sets,
        rank_sets_multinomial,
        tau_best,
        tau_worst,
        tiers,
    )
    from gandan.inference.replicates import (
        Factors,
        ReplicateEstimates,
        Replicates,
        replicate_domains,
        replicate_estimate,
        replicate_factors,
        replicate_weights,
    )
    from gandan.inference.sampling import (
        Offer,
        SampleSize,
        Selection,
        Separation,
        Then,
        allocate,
        cluster_take,
        design_effect,
        inclusion_probabilities,
        plan_budget,
        plan_separation,
        sample_size,
        select,
        two_shares,
    )
    from gandan.inference.small_area import (
        Benchmarked,
        Diagnostics,
        Prediction,
        SmallArea,
        arcsin_variance,
        benchmark,
        diagnose,
        error_covariance,
        fay_herriot,
        fit_variances,
        pool_deff,
        smooth_variances,
    )

_HOMES = {
    "design": "Design Stage",
    "cells": "Cells collapse",
    "estimates": """
        Contrast Estimates Quantiles brewer_variance contrast domain_cov estimate_cells estimate_domains
        horvitz_thompson_variance quantiles yates_grundy_variance
        """,
    "flags": "Flags",
    "errors": "InferenceError",
    "calibration": "Residualizer Trimmed calibrate kish poststratify rake trim",
    "replicates": """
        Factors ReplicateEstimates Replicates replicate_domains replicate_estimate replicate_factors
        replicate_weights
        """,
    "small_area": """
        Benchmarked Diagnostics Prediction SmallArea arcsin_variance benchmark diagnose error_covariance
        fay_herriot fit_variances pool_deff smooth_variances
        """,
    "ranking": """
        MarginalRankSets RankSets TauSet Tiers groups joint_rank_region marginal_rank_sets rank_sets
        rank_sets_multinomial tau_best tau_worst tiers
        """,
    "sampling": """
        Offer SampleSize Selection Separation Then allocate cluster_take design_effect
        inclusion_probabilities plan_budget plan_separation sample_size select two_shares
        """,
    "composite": "Composite Sensitivity weight_sensitivity",
    "correspondence": "Link Restated chain check_links restate",
    "disclosure": "Disclosure Suppression Verdict check_release publishable restated_cells rounded suppress tabulate",
}
"""The public names of each module."""
_HOME = {name: module for module, names in _HOMES.items() for name in names.split()}

__all__ = [
    "Benchmarked",
    "Cells",
    "Composite",
    "Contrast",
    "Design",
    "Diagnostics",
    "Disclosure",
    "Estimates",
    "Factors",
    "Flags",
    "InferenceError",
    "Link",
    "MarginalRankSets",
    "Offer",
    "Prediction",
    "Quantiles",
    "RankSets",
    "ReplicateEstimates",
    "Replicates",
    "Residualizer",
    "Restated",
    "SampleSize",
    "Selection",
    "Sensitivity",
    "Separation",
    "SmallArea",
    "Stage",
    "Suppression",
    "TauSet",
    "Then",
    "Tiers",
    "Trimmed",
    "Verdict",
    "allocate",
    "arcsin_variance",
    "benchmark",
    "brewer_variance",
    "calibrate",
    "chain",
    "check_links",
    "check_release",
    "cluster_take",
    "collapse",
    "contrast",
    "design_effect",
    "diagnose",
    "domain_cov",
    "error_covariance",
    "estimate_cells",
    "estimate_domains",
    "fay_herriot",
    "fit_variances",
    "groups",
    "horvitz_thompson_variance",
    "inclusion_probabilities",
    "joint_rank_region",
    "kish",
    "marginal_rank_sets",
    "plan_budget",
    "plan_separation",
    "pool_deff",
    "poststratify",
    "publishable",
    "quantiles",
    "rake",
    "rank_sets",
    "rank_sets_multinomial",
    "replicate_domains",
    "replicate_estimate",
    "replicate_factors",
    "replicate_weights",
    "restate",
    "restated_cells",
    "rounded",
    "sample_size",
    "select",
    "smooth_variances",
    "suppress",
    "tabulate",
    "tau_best",
    "tau_worst",
    "tiers",
    "trim",
    "two_shares",
    "weight_sensitivity",
    "yates_grundy_variance",
]


def __getattr__(name: str) -> Any:
    """Return a public name from the module that holds it, which is loaded now."""
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    found = getattr(import_module(f"{__name__}.{_HOME[name]}"), name)
    globals()[name] = found
    return found


def __dir__() -> list[str]:
    return sorted({*globals(), *_HOME})
