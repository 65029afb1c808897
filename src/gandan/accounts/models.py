from typing import Any, ClassVar
from uuid import uuid4

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.auth.validators import ASCIIUsernameValidator
from django.db import models
from django.utils.translation import gettext_lazy as _


class UserManager(BaseUserManager["User"]):
    def create_user(self, username: str, password: str | None = None, **values: Any) -> "User":
        user = self.model(username=self.model.normalize_username(username), **values)
        user.set_password(password)
        user.save(using=self._db)
        return user


class User(AbstractBaseUser):
    """Somebody who signs in with a name of their own. Nobody registers alone: staff are invited."""

    id = models.UUIDField(primary_key=True, default=uuid4, editable=False)
    username = models.CharField(
        _("user name"),
        max_length=60,
        unique=True,
        validators=[ASCIIUsernameValidator()],
        error_messages={"unique": _("This user name cannot be used. Choose another one.")},
    )
    full_name = models.CharField(_("full name"), max_length=120)
    rank = models.CharField(_("rank"), max_length=60, blank=True)
    email = models.EmailField(_("e-mail"), blank=True)
    is_active = models.BooleanField(default=True)
    created_at = models.DateTimeField()

    objects: ClassVar[UserManager] = UserManager()

    USERNAME_FIELD = "username"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS = ["full_name"]

    def __str__(self) -> str:
        return self.title

    def save(self, *args: Any, **options: Any) -> None:
        if self.created_at is None:
            from gandan.access import now

            self.created_at = now()
        super().save(*args, **options)

    @property
    def title(self) -> str:
        return self.titled(self.rank, self.full_name)

    @staticmethod
    def titled(rank: str, full_name: str) -> str:
        """Return rank and name, as colleagues say it."""
        return f"{rank} {full_name}".strip()


class Bucket(models.Model):
    """How many tries somebody has left, as the instant (seconds since 1970) at which all are back; see `limits`."""

    key = models.CharField(primary_key=True, max_length=64)
    full_at = models.FloatField(db_index=True)

    def __str__(self) -> str:
        return self.key


class SignIn(models.Model):
    """One browser in which somebody is signed in, so that it can be seen and ended. No address is kept."""

    id = models.UUIDField(primary_key=True, default=uuid4, editable=False)
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="+")
    session_key = models.CharField(max_length=40, unique=True)
    began_at = models.DateTimeField()
    browser = models.CharField(max_length=60, blank=True)

    def __str__(self) -> str:
        return self.browser


class RecoveryLink(models.Model):
    """A link by which somebody chooses a new password once. Only its hash is kept."""

    id = models.UUIDField(primary_key=True, default=uuid4, editable=False)
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="+")
    token_hash = models.CharField(max_length=64, unique=True)
    made_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return str(self.pk)
