from django.urls import path

from gandan.ui import views

urlpatterns = [
    path("theme/", views.theme, name="theme"),
    path("conversions/", views.conversions, name="conversions"),
    path("gallery/", views.gallery, name="gallery"),
    *(path(f"gallery/{page}/", views.gallery, {"page": page}) for page in ("home", "form", "desk")),
]
