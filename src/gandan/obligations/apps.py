from django.apps import AppConfig


class ObligationsConfig(AppConfig):
    name = "gandan.obligations"
    label = "obligations"

    def ready(self) -> None:
        from gandan.audit import triggers
        from gandan.obligations.models import ObligationEvent
        from gandan.obligations.succession import ObligationCarrier
        from gandan.units import succession

        triggers.append_only(ObligationEvent)
        succession.register(ObligationCarrier())
