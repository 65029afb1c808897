"""What the State requires: the working calendar, the terms of each procedure, and when a term ends.

Pure: everything arrives as a value, the present included. A deadline can always be printed as the sum from
which it comes.
"""

from gandan.law.calendar import Calendar, CalendarNotDeclared, CalendarYear, DayRule
from gandan.law.clocks import ClockState, clock_state, is_overdue
from gandan.law.deadlines import Deadline, Extension, OfficeHours, Pause, deadline
from gandan.law.explanations import render
from gandan.law.terms import ExtensionRule, Term, term_in_force

__all__ = [
    "Calendar",
    "CalendarNotDeclared",
    "CalendarYear",
    "ClockState",
    "DayRule",
    "Deadline",
    "Extension",
    "ExtensionRule",
    "OfficeHours",
    "Pause",
    "Term",
    "clock_state",
    "deadline",
    "is_overdue",
    "render",
    "term_in_force",
]
