from datetime import datetime
from functools import partial
from typing import Any

from django.apps import AppConfig


class CasesConfig(AppConfig):
    name = "gandan.cases"
    label = "cases"

    def ready(self) -> None:
        from gandan.access import states
        from gandan.audit import triggers
        from gandan.cases import forgetting, summaries
        from gandan.cases.actions.speaking import NewDates
        from gandan.cases.models import Case, CaseEvent
        from gandan.cases.succession import CaseCarrier
        from gandan.obligations import kinds
        from gandan.units import succession

        forgetting.register()
        triggers.append_only(CaseEvent, but_columns=("text",))
        kinds.register("case", "case", summaries.summaries, NewDates())
        succession.register(CaseCarrier())
        for state in Case.State.values:
            states.register(Case, state, partial(_asked, state), partial(_held, state))


def _asked(state: str, rows: Any, _at: datetime) -> Any:
    return getattr(rows, state)()


def _held(state: str, case: Any, at: datetime) -> bool:
    from gandan.cases.models import in_state

    return in_state(case, state, at)
