from django.apps import AppConfig


class UnitsConfig(AppConfig):
    name = "gandan.units"
    label = "units"

    def ready(self) -> None:
        from gandan.units import sql

        sql.declare_triggers()
