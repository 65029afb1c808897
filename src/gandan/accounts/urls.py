from django.urls import path

from gandan.accounts import views

urlpatterns = [
    path("account/", views.own_account, name="own_account"),
    path("account/keep-alive/", views.keep_alive, name="keep_alive"),
]
