from django.urls import path

from gandan.portal import audit_views, overseers, views

urlpatterns = [
    path("", views.home, name="home"),
    path("search/", views.site_search, name="search"),
    path("units/<slug:slug>/results/", views.unit_results, name="unit_results"),
    path("results/", views.open_data, name="open_data"),
    path("programs/", views.programs, name="programs"),
    path("privacy/", views.privacy, name="privacy"),
    path("accessibility/", views.accessibility, name="accessibility"),
    path("desk/command/", views.command, name="command"),
    path("desk/command/<slug:slug>/", views.command_unit, name="command_unit"),
    path("admin/overseers/", overseers.overseers, name="overseers"),
    path("desk/audit/", audit_views.audit_desk, name="audit_desk"),
    path("desk/audit/draw/", audit_views.audit_draw, name="audit_draw"),
    path("desk/audit/sample/", audit_views.audit_sample, name="audit_sample"),
    path("desk/audit/lists/", audit_views.audit_list, name="audit_list"),
    path("desk/audit/checkpoint/", audit_views.audit_checkpoint, name="audit_checkpoint"),
    path("desk/audit/bundle/", audit_views.audit_bundle, name="audit_bundle"),
    path("desk/audit/matters/<uuid:matter>/", audit_views.audit_matter, name="audit_matter"),
]
