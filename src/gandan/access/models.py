"""The base of every table of the house: a random key and a manager that asks who wants to know."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, ClassVar
from uuid import uuid4

from django.core.exceptions import ValidationError
from django.db import models
from django.utils.translation import gettext_lazy as _

from gandan.access.actor import Actor
from gandan.access.errors import Unscoped
from gandan.access.policies import Open, Part, Policy

_checking_uniqueness: ContextVar[bool] = ContextVar("checking_uniqueness", default=False)


@contextmanager
def _uniqueness_check() -> Iterator[None]:
    token = _checking_uniqueness.set(True)
    try:
        yield
    finally:
        _checking_uniqueness.reset(token)


class GuardedManager(models.Manager):
    """Refuses to answer without an actor; makes rows; serves parts through their loaded parent."""

    def get_queryset(self) -> models.QuerySet[Any]:
        model: Any = self.model
        access = model.access
        if isinstance(access, Open) or _checking_uniqueness.get():
            return super().get_queryset()
        if isinstance(access, Part) and getattr(self, "instance", None) is not None:
            return super().get_queryset()
        raise Unscoped(
            f"{self.model.__name__} is read by {self.model.__name__}.for_(actor, capability) "
            f"or {self.model.__name__}.system(reason)"
        )

    def unscoped(self) -> models.QuerySet[Any]:
        return super().get_queryset()

    def create(self, **values: Any) -> Any:
        instance = getattr(self, "instance", None)
        if instance is not None:
            return super().create(**values)
        return super().get_queryset().create(**values)

    def bulk_create(self, rows: Any, *args: Any, **options: Any) -> Any:  # type: ignore[override]
        return super().get_queryset().bulk_create(rows, *args, **options)


class Guarded(models.Model):
    """A table whose rows answer only to those who may ask.

    Keys are random (UUIDv4), so that nothing can be learnt from their order.
    """

    access: ClassVar[Policy | Part | Open]

    id = models.UUIDField(primary_key=True, default=uuid4, editable=False)

    objects = GuardedManager()

    class Meta:
        abstract = True

    @classmethod
    def for_(cls, actor: Actor, capability: str) -> Any:
        """Return the rows on which `actor` may use `capability`.

        Raises Unscoped for a model that declares no policy of its own.
        """
        access = cls.access
        if isinstance(access, Open):
            return cls._all()
        if isinstance(access, Part):
            raise Unscoped(f"{cls.__name__} is read through its {access.of}")
        return cls._all().filter(access.condition(actor, capability))

    @classmethod
    def system(cls, reason: str) -> Any:
        """Return every row, for a job or a rule that acts for no person; `reason` says which."""
        if not reason:
            raise Unscoped(f"{cls.__name__}.system() names its reason")
        return cls._all()

    @classmethod
    def _all(cls) -> Any:
        manager: Any = cls._default_manager
        return manager.unscoped()

    def _perform_unique_checks(self, unique_checks: Any) -> dict[str, list[ValidationError]]:
        with _uniqueness_check():
            errors: dict[str, list[ValidationError]] = super()._perform_unique_checks(unique_checks)  # type: ignore[misc]
        return errors

    def validate_constraints(self, exclude: Any = None) -> None:
        with _uniqueness_check():
            super().validate_constraints(exclude=exclude)

    def unique_error_message(self, model_class: Any, unique_check: Any) -> ValidationError:
        """Say that a value cannot be used, without saying that another row holds it."""
        return ValidationError(_("This value cannot be used here. Choose another one."), code="unique")
