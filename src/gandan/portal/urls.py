from django.urls import path

from gandan.portal import views

urlpatterns = [
    path("", views.home, name="home"),
    path("search/", views.site_search, name="search"),
    path("units/<slug:slug>/results/", views.unit_results, name="unit_results"),
    path("results/", views.open_data, name="open_data"),
    path("privacy/", views.privacy, name="privacy"),
    path("accessibility/", views.accessibility, name="accessibility"),
    path("desk/command/", views.command, name="command"),
    path("desk/command/<slug:slug>/", views.command_unit, name="command_unit"),
    path("desk/audit/", views.audit_desk, name="audit_desk"),
    path("desk/audit/matters/<uuid:matter>/", views.audit_matter, name="audit_matter"),
]
