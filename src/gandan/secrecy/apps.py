from django.apps import AppConfig
from django.db.models.signals import pre_migrate


class SecrecyConfig(AppConfig):
    name = "gandan.secrecy"
    label = "secrecy"

    def ready(self) -> None:
        from gandan.audit import triggers
        from gandan.secrecy import vault
        from gandan.secrecy.models import Disclosure, Tombstone

        triggers.append_only(Disclosure)
        triggers.append_only(Tombstone)
        # Once in each migration, before any table is made.
        pre_migrate.connect(vault.begin, sender=self, dispatch_uid="gandan.secrecy.begin")
