"""Websocket addresses."""

websocket_urlpatterns = []
