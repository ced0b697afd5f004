"""Addresses of the gallery."""

from django.urls import path

from gallery.views import files

app_name = "gallery"
urlpatterns = [
    path("media/<uuid:media>/<slug:rendition>/<int:expires>/<str:signature>", files.file, name="file"),
]
