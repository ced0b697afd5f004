"""Keeping: pictures as things, however they were made, and what people do with them."""

from gallery.models.activity import Activity, Notice, NoticePreferences, Verb
from gallery.models.album import Album, AlbumItem, AlbumMember
from gallery.models.brand import Brand, BrandFont
from gallery.models.comment import Comment, Rating, Tag
from gallery.models.export import Channel, Export, FocusPoint, Format
from gallery.models.media import Like, Media
from gallery.models.rendition import Rendition
from gallery.models.review import Decision, Review, ReviewPolicy
from gallery.models.saved import SavedSearch
from gallery.models.sharing import ShareLink
from gallery.models.upload import Piece, Upload, UploadedFile

__all__ = [
    "Activity",
    "Album",
    "AlbumItem",
    "AlbumMember",
    "Brand",
    "BrandFont",
    "Channel",
    "Comment",
    "Decision",
    "Export",
    "FocusPoint",
    "Format",
    "Like",
    "Media",
    "Notice",
    "NoticePreferences",
    "Piece",
    "Rating",
    "Rendition",
    "Review",
    "ReviewPolicy",
    "SavedSearch",
    "ShareLink",
    "Tag",
    "Upload",
    "UploadedFile",
    "Verb",
]
