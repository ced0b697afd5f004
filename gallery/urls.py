"""Addresses of the gallery."""

from django.urls import path

from gallery.views import actions, files, index, picture

app_name = "gallery"
urlpatterns = [
    path("gallery/", index.index, name="index"),
    path("gallery/trash/", index.trash, name="trash"),
    path("gallery/<uuid:pk>/", picture.picture, name="picture"),
    path("gallery/<uuid:pk>/trash/", actions.trash, name="trash_one"),
    path("gallery/<uuid:pk>/restore/", actions.restore, name="restore"),
    path("gallery/<uuid:pk>/like/", actions.like, name="like"),
    path("gallery/<uuid:pk>/visibility/", actions.visibility, name="visibility"),
    path("media/<uuid:media>/<slug:rendition>/<int:expires>/<str:signature>", files.file, name="file"),
]
