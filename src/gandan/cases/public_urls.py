from django.urls import path

from gandan.cases import public_views as views

urlpatterns = [
    path("procedures/", views.procedures, name="procedures"),
    path("procedures/<str:code>/", views.procedure, name="procedure"),
    path("report/", views.report, name="report"),
    path("report/<uuid:draft>/<str:step>/", views.report_step, name="report_step"),
    path("follow/", views.follow_case, name="follow"),
    path("follow/files/<uuid:file>/", views.follow_file, name="follow_file"),
]
