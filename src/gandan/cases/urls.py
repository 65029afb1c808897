from django.urls import include, path

from gandan.cases import views

urlpatterns = [
    path("admin/procedures/", views.procedure_register, name="procedure_register"),
    path("admin/procedures/import/", views.procedures_import, name="procedures_import"),
    path("admin/procedures/file/", views.procedures_file, name="procedures_file"),
    path("", include("gandan.cases.desk_urls")),
    path("", include("gandan.cases.public_urls")),
]
