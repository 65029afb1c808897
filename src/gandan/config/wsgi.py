"""The door to the web: `granian --interface wsgi gandan.config.wsgi:application`."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "gandan.config.settings")
application = get_wsgi_application()

from gandan.config.serving import follow_parent  # noqa: E402 - the settings must be known first

follow_parent()
