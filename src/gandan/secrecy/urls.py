from django.urls import path

from gandan.secrecy import views

urlpatterns = [
    path("desk/openings/", views.openings, name="openings"),
    path("admin/retention/", views.retention_table, name="retention"),
]
