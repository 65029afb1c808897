from django.apps import AppConfig
from django.db.models.signals import post_migrate


class AuditConfig(AppConfig):
    name = "gandan.audit"
    label = "audit"

    def ready(self) -> None:
        from gandan.audit import triggers
        from gandan.audit.models import AuditEntry

        triggers.append_only(AuditEntry)
        post_migrate.connect(triggers.install_after_migrating, dispatch_uid="gandan.audit.triggers")
