from django.urls import include, path

urlpatterns = [
    path("", include("gandan.cases.desk_urls")),
    path("", include("gandan.cases.public_urls")),
]
