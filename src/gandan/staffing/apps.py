from django.apps import AppConfig


class StaffingConfig(AppConfig):
    name = "gandan.staffing"
    label = "staffing"

    def ready(self) -> None:
        from gandan.staffing.succession import GrantCarrier, InvitationCarrier
        from gandan.units import succession

        succession.register(GrantCarrier())
        succession.register(InvitationCarrier())
