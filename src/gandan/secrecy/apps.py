from django.apps import AppConfig


class SecrecyConfig(AppConfig):
    name = "gandan.secrecy"
    label = "secrecy"

    def ready(self) -> None:
        from gandan.audit import triggers
        from gandan.secrecy.models import Disclosure, Tombstone

        triggers.append_only(Disclosure)
        triggers.append_only(Tombstone)
