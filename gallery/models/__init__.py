"""Keeping: pictures as things, however they were made."""

from gallery.models.media import Like, Media
from gallery.models.rendition import Rendition

__all__ = ["Like", "Media", "Rendition"]
