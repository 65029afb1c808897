"""What is done with a matter, from the moment somebody brings it.

Each action is one transaction: the fact on the case, a line in its timeline, the clocks that it starts or
ends, and one entry in the audit record. Each locks the case first and asks its permission again, so that a
stale page or a second click does nothing twice.
"""

from gandan.cases.actions.acting import MISSING_PAPERS
from gandan.cases.actions.intake import Conflict, Receipt, receive, recorded_lately, settle_on_the_spot
from gandan.cases.actions.passing import acknowledge, move_up, recall, send
from gandan.cases.actions.speaking import message_in, message_out, rate, record_reading
from gandan.cases.actions.working import (
    accept,
    answer,
    apologise,
    ask_papers,
    assign,
    close,
    correct,
    extend,
    note,
    reopen,
    supply,
    take,
    withdraw,
)

__all__ = [
    "MISSING_PAPERS",
    "Conflict",
    "Receipt",
    "accept",
    "acknowledge",
    "answer",
    "apologise",
    "ask_papers",
    "assign",
    "close",
    "correct",
    "extend",
    "message_in",
    "message_out",
    "move_up",
    "note",
    "rate",
    "recall",
    "receive",
    "record_reading",
    "recorded_lately",
    "reopen",
    "send",
    "settle_on_the_spot",
    "supply",
    "take",
    "withdraw",
]
