from allauth.account.adapter import DefaultAccountAdapter
from django.http import HttpRequest


class StaffOnly(DefaultAccountAdapter):
    """Nobody registers alone; an invitation makes the account."""

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return False
