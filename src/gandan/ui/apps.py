from django.apps import AppConfig


class UiConfig(AppConfig):
    name = "gandan.ui"
    label = "ui"
