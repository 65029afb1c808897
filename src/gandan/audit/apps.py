from django.apps import AppConfig
from django.db.models.signals import post_migrate


class AuditConfig(AppConfig):
    name = "gandan.audit"
    label = "audit"

    def ready(self) -> None:
        from gandan.audit import signing_in, triggers
        from gandan.audit.models import AuditCheckpoint, AuditEntry

        triggers.append_only(AuditEntry)
        triggers.append_only(AuditCheckpoint)
        signing_in.listen()
        post_migrate.connect(triggers.install_after_migrating, dispatch_uid="gandan.audit.triggers")
