"""What a picture is found and sorted by, kept true beside what it is made of."""

from collections.abc import Iterable, Iterator
from uuid import UUID

from django.core.files.storage import storages
from django.db import transaction
from django.db.models import Avg, Count, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce
from PIL import Image, UnidentifiedImageError

from gallery.colours import palette
from gallery.models import Like, Media, Rating, Rendition
from gallery.models.words import words_of

BATCH = 500


def dominant(image: Image.Image) -> str:
    """The names of the colours of `image` as Media.colours keeps them."""
    return " ".join(shade.name for shade in palette(image))


def index_words(*, media: Media) -> None:
    """After its title, prompt or tags changed."""
    index_words_of(ids=[media.pk])


def index_words_of(*, ids: Iterable[UUID]) -> None:
    """The same for many."""
    pictures = list(Media.objects.filter(pk__in=list(ids)).prefetch_related("tags"))
    for media in pictures:
        media.words = words_of(media, [tag.name for tag in media.tags.all()])
    Media.objects.bulk_update(pictures, ["words"])


def count_opinions(*, pictures: QuerySet[Media]) -> None:
    """After somebody liked or rated some of `pictures`, or took that back."""
    likes = Like.objects.filter(media=OuterRef("pk")).order_by().values("media").annotate(n=Count("pk")).values("n")
    stars = Rating.objects.filter(media=OuterRef("pk")).order_by().values("media").annotate(n=Avg("stars")).values("n")
    pictures.order_by().update(like_count=Coalesce(Subquery(likes), 0), stars=Coalesce(Subquery(stars), 0.0))


def index_all() -> Iterator[int]:
    """All of it anew for every picture, colours where they are missing; how many are done, after each batch."""
    done, last = 0, None
    while True:
        after = Media.objects.filter(pk__gt=last) if last else Media.objects.all()
        rows = list(after.order_by("pk").prefetch_related("tags")[:BATCH])
        if not rows:
            return
        for media in rows:
            media.colours = media.colours or _colours_in_storage(media)
        with transaction.atomic():
            for media in rows:
                words = words_of(media, [tag.name for tag in media.tags.all()])
                Media.objects.filter(pk=media.pk).update(colours=media.colours, words=words)
            count_opinions(pictures=Media.objects.filter(pk__in=[media.pk for media in rows]))
        done, last = done + len(rows), rows[-1].pk
        yield done


def _colours_in_storage(media: Media) -> str:
    """From its tile, which is quickest to read; nothing where there is no file."""
    tile = media.renditions.filter(kind=Rendition.Kind.TILE).first()
    name = (tile.file.name if tile else media.file.name) or ""
    try:
        with storages["default"].open(name) as file, Image.open(file) as image:
            return dominant(image)
    except (OSError, UnidentifiedImageError):
        return ""
