"""What the State requires: the working calendar, the terms of each procedure, and when a term ends.

Pure: everything arrives as a value, the present included. A deadline can always be printed as the sum from
which it comes.
"""

from gandan.law.calendar import Calendar, CalendarNotDeclared, CalendarYear, DayRule, calendar_of, union
from gandan.law.clocks import ClockState, TimeLeft, clock_state, is_overdue, time_left
from gandan.law.competence import Competence, NotStated, who_settles
from gandan.law.deadlines import Deadline, Extension, closing_of, deadline, deadline_of, due_on
from gandan.law.explanations import Explanation, Line, explain, render
from gandan.law.office_hours import OfficeHours, Pause, add_working_time
from gandan.law.terms import ExtensionRule, NoTerm, Term, term_in_force

__all__ = [
    "Calendar",
    "CalendarNotDeclared",
    "CalendarYear",
    "ClockState",
    "Competence",
    "DayRule",
    "Deadline",
    "Explanation",
    "Extension",
    "ExtensionRule",
    "Line",
    "NoTerm",
    "NotStated",
    "OfficeHours",
    "Pause",
    "Term",
    "TimeLeft",
    "add_working_time",
    "calendar_of",
    "clock_state",
    "closing_of",
    "deadline",
    "deadline_of",
    "due_on",
    "explain",
    "is_overdue",
    "render",
    "term_in_force",
    "time_left",
    "union",
    "who_settles",
]
