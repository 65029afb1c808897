from django.apps import AppConfig


class AccessConfig(AppConfig):
    name = "gandan.access"
    label = "access"

    def ready(self) -> None:
        from gandan.access import checks  # noqa: F401
