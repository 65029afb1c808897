"""Planning and drawing a sample: how many, where, which, and what it will be able to tell apart.

Every draw is reproducible from its seed and the digest of the frame, and returns the inclusion probabilities of
each stage. Nothing is changed in place.

Sources: Cochran (1977), Sampling Techniques, chapters 4, 5, 8 and 10; Bankier (1988) for power allocation; Kish
(1965) for clusters; Madow (1949) for systematic selection with unequal probabilities; Fleiss, Levin and Paik
(2003), equation 4.14 without continuity correction, for two shares.
"""

from gandan.inference.allocation import (
    Allocation,
    SampleSize,
    allocate,
    cluster_take,
    design_effect,
    sample_size,
    two_shares,
)
from gandan.inference.selection import Method, Selection, Then, inclusion_probabilities, select
from gandan.inference.separation import Offer, Separation, marginal_critical, plan_budget, plan_separation

__all__ = [
    "Allocation",
    "Method",
    "Offer",
    "SampleSize",
    "Selection",
    "Separation",
    "Then",
    "allocate",
    "cluster_take",
    "design_effect",
    "inclusion_probabilities",
    "marginal_critical",
    "plan_budget",
    "plan_separation",
    "sample_size",
    "select",
    "two_shares",
]
