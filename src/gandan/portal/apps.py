from django.apps import AppConfig


class PortalConfig(AppConfig):
    name = "gandan.portal"
    label = "portal"
