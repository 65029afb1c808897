"""A view that says nothing about who may come in lets nobody in, whoever runs it."""

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.http import HttpResponse
from django.test import Client
from django.urls import path

from gandan.config.urls import urlpatterns as ours

pytestmark = [pytest.mark.django_db, pytest.mark.urls(__name__)]
urlpatterns = [path("forgotten-rule/", lambda request: HttpResponse("open"), name="forgotten_rule"), *ours]


def test_in_production_it_is_a_refusal_with_a_page_and_a_line_in_the_log(settings, caplog):
    settings.GANDAN_STRICT = False
    answer = Client().get("/forgotten-rule/", headers={"Accept-Language": "vi"})
    assert answer.status_code == 403 and "Không mở được trang này." in answer.content.decode()
    assert "declares no access rule" in caplog.text


def test_where_it_is_built_it_is_a_loud_error():
    with pytest.raises(ImproperlyConfigured, match="declares no access rule"):
        Client().get("/forgotten-rule/")
