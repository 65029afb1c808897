from django.urls import path

from gandan.staffing import sign_in_views, views

urlpatterns = [
    path("admin/people/", views.people, name="people"),
    path("admin/people/invite/", views.invite, name="invite"),
    path("admin/people/invitations/<uuid:invitation>/withdraw/", views.withdraw_invitation, name="withdraw_invitation"),
    path("admin/people/grants/<uuid:grant>/end/", views.end_grant, name="end_grant"),
    path("admin/people/<uuid:person>/role/", views.give_role, name="give_role"),
    path("admin/people/<uuid:person>/sign-in/", sign_in_views.person_sign_in, name="person_sign_in"),
    path("account/invitation/<str:token>/", views.accept, name="accept_invitation"),
]
