from datetime import datetime
from functools import partial
from typing import Any

from django.apps import AppConfig


class ObligationsConfig(AppConfig):
    name = "gandan.obligations"
    label = "obligations"

    def ready(self) -> None:
        from gandan.access import states
        from gandan.audit import triggers
        from gandan.obligations.models import CalendarDay, Obligation, ObligationEvent, Term
        from gandan.obligations.succession import ObligationCarrier
        from gandan.units import succession

        triggers.append_only(ObligationEvent)
        triggers.append_only(CalendarDay, but_columns=("until", "ended_by"))
        triggers.append_only(Term, but_columns=("valid_to",))
        succession.register(ObligationCarrier())
        for state in Obligation.STATES:
            states.register(Obligation, state, partial(_asked, state), partial(_held, state))


def _asked(state: str, rows: Any, at: datetime) -> Any:
    return rows.overdue(at) if state == "overdue" else getattr(rows, state)()


def _held(state: str, obligation: Any, at: datetime) -> bool:
    return bool(obligation.is_in(state, at))
