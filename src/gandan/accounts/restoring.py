"""What is done with a restored database before anybody is served."""

from django.contrib.sessions.models import Session

from gandan.accounts.models import SignIn


def after_restore() -> int:
    """End every session that an older copy brought along; return how many. Backups of today hold none."""
    ended, _ = Session.objects.all().delete()
    SignIn.objects.all().delete()
    return ended
