from django.urls import path

from gandan.units import views

urlpatterns = [
    path("units/", views.units, name="units"),
    path("units/<slug:slug>/", views.unit, name="unit"),
    path("admin/units/", views.act_list, name="unit_acts"),
    path("admin/units/acts/<uuid:act>/", views.act, name="unit_act"),
    path("admin/units/acts/<uuid:act>/parts/", views.act_merge, name="unit_act_parts"),
    path("admin/units/acts/<uuid:act>/steps/", views.act_step, name="unit_act_step"),
    path(
        "admin/units/acts/<uuid:act>/steps/<int:position>/remove/", views.act_step_remove, name="unit_act_step_remove"
    ),
    path("admin/units/acts/<uuid:act>/check/", views.act_check, name="unit_act_check"),
    path("admin/units/acts/<uuid:act>/preview/", views.act_preview, name="unit_act_preview"),
    path("admin/units/acts/<uuid:act>/schedule/", views.act_schedule, name="unit_act_schedule"),
    path("admin/units/<slug:slug>/contact/", views.contact, name="unit_contact"),
]
