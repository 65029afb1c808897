from django.apps import AppConfig


class CasesConfig(AppConfig):
    name = "gandan.cases"
    label = "cases"

    def ready(self) -> None:
        from gandan.access import states
        from gandan.audit import triggers
        from gandan.cases import summaries
        from gandan.cases.models import Case, CaseEvent, in_state
        from gandan.cases.succession import CaseCarrier
        from gandan.obligations import kinds
        from gandan.units import succession

        triggers.append_only(CaseEvent, but_columns=("text",))
        kinds.register("case", "case", summaries.summaries)
        succession.register(CaseCarrier())
        for state in Case.State.values:
            states.register(
                Case,
                state,
                lambda rows, at, name=state: getattr(rows, name)(),
                lambda case, at, name=state: in_state(case, name, at),
            )
