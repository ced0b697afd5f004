"""Websocket addresses."""

from django.urls import path

from generator import consumers

websocket_urlpatterns = [
    path("ws/live/", consumers.LiveConsumer.as_asgi()),
    path("ws/jobs/<uuid:job>/", consumers.JobConsumer.as_asgi()),
]
