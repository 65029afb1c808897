from django.urls import path

from gandan.staffing import views

urlpatterns = [
    path("admin/people/", views.people, name="people"),
    path("admin/people/invite/", views.invite, name="invite"),
    path("admin/people/invitations/<uuid:invitation>/withdraw/", views.withdraw_invitation, name="withdraw_invitation"),
    path("admin/people/grants/<uuid:grant>/end/", views.end_grant, name="end_grant"),
    path("account/invitation/<str:token>/", views.accept, name="accept_invitation"),
]
