from django.urls import path

from gandan.demo import views

urlpatterns = [
    path("demo/", views.demo, name="demo"),
    path("demo/sit/", views.sit, name="demo_sit"),
    path("demo/story/", views.begin_story, name="demo_story"),
    path("demo/twice/", views.twice, name="demo_twice"),
    path("demo/restated/", views.restated, name="demo_restated"),
    path("demo/tampered/", views.tampered, name="demo_tampered"),
    path("demo/put-back/", views.put_back, name="demo_put_back"),
]
