from django.urls import path

from gandan.secrecy import views

urlpatterns = [
    path("admin/retention/", views.retention_table, name="retention"),
]
