from django.urls import path

from gandan.obligations import views

urlpatterns = [
    path("desk/", views.desk, name="desk"),
    path("desk/obligations/<uuid:obligation>/", views.obligation, name="obligation"),
    path("desk/notices/", views.notices, name="notices"),
    path("desk/notices/<uuid:notice>/seen/", views.notice_seen, name="notice_seen"),
    path("admin/calendar/", views.calendar, name="calendar"),
    path("admin/calendar/day/", views.calendar_day, name="calendar_day"),
    path("admin/calendar/day/<str:day>/remove/", views.calendar_day_remove, name="calendar_day_remove"),
    path("admin/calendar/<int:year>/decide/", views.calendar_year_decide, name="calendar_year_decide"),
    path("admin/terms/", views.term_list, name="terms"),
    path("admin/terms/import/", views.terms_import, name="terms_import"),
    path("admin/terms/file/", views.terms_file, name="terms_file"),
    path("admin/terms/<str:code>/", views.term_edit, name="term"),
]
