"""The addresses of the product, the worklist's answered by the side that is chosen."""

from django.conf.urls.i18n import i18n_patterns
from django.http import HttpRequest, HttpResponse
from django.urls import path

from benchmarks.plain import views as plain
from benchmarks.plain.authority import chosen
from gandan.access.decorators import signed_in
from gandan.config import urls
from gandan.obligations import views


@signed_in("the worklist of either side")
def desk(request: HttpRequest) -> HttpResponse:
    return plain.desk(request) if chosen.plain else views.desk(request)


urlpatterns = [*i18n_patterns(path("desk/", desk, name="desk"), prefix_default_language=False), *urls.urlpatterns]
handler404, handler500 = urls.handler404, urls.handler500
