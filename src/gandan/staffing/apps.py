from django.apps import AppConfig


class StaffingConfig(AppConfig):
    name = "gandan.staffing"
    label = "staffing"

    def ready(self) -> None:
        from gandan.secrecy import retention
        from gandan.staffing.actions import forget_named
        from gandan.staffing.succession import GrantCarrier, InvitationCarrier
        from gandan.units import succession

        succession.register(GrantCarrier())
        succession.register(InvitationCarrier())
        retention.register_eraser(forget_named, after=lambda: None)
