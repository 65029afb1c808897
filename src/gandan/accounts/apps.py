from django.apps import AppConfig


class AccountsConfig(AppConfig):
    name = "gandan.accounts"
    label = "accounts"

    def ready(self) -> None:
        from gandan.accounts import recent, second_factor, sessions

        sessions.listen()
        recent.listen()
        second_factor.listen()
