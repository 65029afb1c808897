"""System checks: no table and no view without a rule."""

from typing import Any

from django.apps import apps
from django.conf import settings
from django.core.checks import Error, register

from gandan.access.models import Guarded
from gandan.access.policies import Open, Part, Policy


@register()
def every_model_declares_access(app_configs: Any, **options: Any) -> list[Error]:
    """gandan.E001: each concrete model has a policy, is part of one, or is open with a reason."""
    errors = []
    for model in apps.get_models(include_auto_created=True):
        label = model._meta.label
        if not issubclass(model, Guarded):
            if label not in settings.GANDAN_OPEN_MODELS:
                errors.append(Error(f"{label} is neither guarded nor an open model", id="gandan.E001"))
            continue
        access = getattr(model, "access", None)
        if not isinstance(access, Policy | Part | Open):
            errors.append(Error(f"{label} declares no access", id="gandan.E001"))
        elif isinstance(access, Open) and not access.reason:
            errors.append(Error(f"{label} is open without a reason", id="gandan.E001"))
    return errors
