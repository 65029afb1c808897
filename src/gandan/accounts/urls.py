from django.urls import path

from gandan.accounts import views

urlpatterns = [
    path("account/", views.own_account, name="own_account"),
    path("account/keep-alive/", views.keep_alive, name="keep_alive"),
    path("account/sessions/", views.own_sessions, name="own_sessions"),
    path("account/sessions/end/", views.end_own_sessions, name="end_own_sessions"),
    path("account/go-on/", views.go_on, name="go_on"),
    path("account/forgotten/", views.forgotten, name="forgotten"),
    path("account/recovery/<str:token>/", views.recover, name="recover_account"),
]
