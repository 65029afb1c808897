"""What is done with promises, the calendar and the terms.

Each action is one transaction (nested inside the caller's, as a rule) with its audit entry.
"""

from gandan.obligations.actions.clocks import (
    assign,
    extend,
    fulfil,
    fulfil_again,
    hand_over,
    is_remote,
    resume,
    see_notice,
    start,
    suspend,
    transfer,
    withdraw,
)
from gandan.obligations.actions.versions import (
    REFERENCE,
    TermChange,
    amend_term,
    check_terms,
    import_terms,
    reference_terms,
    seed_reference,
)
from gandan.obligations.actions.years import (
    FIRST_YEAR,
    Move,
    decide_year,
    declare_day,
    keep_years_seeded,
    preview_day,
    preview_removal,
    remove_day,
)

__all__ = [
    "FIRST_YEAR",
    "REFERENCE",
    "Move",
    "TermChange",
    "amend_term",
    "assign",
    "check_terms",
    "decide_year",
    "declare_day",
    "extend",
    "fulfil",
    "fulfil_again",
    "hand_over",
    "import_terms",
    "is_remote",
    "keep_years_seeded",
    "preview_day",
    "preview_removal",
    "reference_terms",
    "remove_day",
    "resume",
    "see_notice",
    "seed_reference",
    "start",
    "suspend",
    "transfer",
    "withdraw",
]
