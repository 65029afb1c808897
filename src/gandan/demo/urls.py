from django.urls import path

from gandan.demo import views

urlpatterns = [
    path("demo/", views.demo, name="demo"),
    path("demo/sit/", views.sit, name="demo_sit"),
]
