"""Pictures as pages show them: addresses signed for the viewer, likes, and what the viewer may do."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from django.db.models import Count, Q, prefetch_related_objects

from accounts.models import User
from gallery.links import ORIGINAL, media_url
from gallery.models import Like, Media, Rendition
from gallery.views import rows
from gallery.views.recipe import as_fragment
from gallery.words import Wanted, snippet

# What a tile offers to choose from, small to large.
STEPS = {
    "webp": (Rendition.Kind.WEBP_256, Rendition.Kind.TILE, Rendition.Kind.WEBP_1024, Rendition.Kind.WEBP_1600),
    "avif": (Rendition.Kind.AVIF_256, Rendition.Kind.AVIF_512, Rendition.Kind.AVIF_1024, Rendition.Kind.AVIF_1600),
}


@dataclass(frozen=True)
class Film:
    """How a picture emerged: one sprite with `frames` side by side."""

    url: str
    frames: int


@dataclass(frozen=True)
class Tile:
    """All that a template needs of one picture."""

    media: Media
    src: str
    webp: str  # what browsers may choose from, for srcset; empty where there is the tile only
    avif: str
    original: str
    film: Film | None
    likes: int
    is_liked: bool
    is_editable: bool
    match: list[tuple[str, bool]] = field(default_factory=list)  # what a search found in it, in pieces

    @property
    def ratio(self) -> str:
        """Width over height, to reserve its place; text, since style sheets want a point in every language."""
        return f"{self.media.width / self.media.height:.4f}"

    @property
    def place(self) -> str:
        """The style that reserves its place where it stands by itself."""
        return f"--ratio: {self.ratio}{self.placeholder}"

    @property
    def placeholder(self) -> str:
        """Style that shows a blur of the picture until it is loaded."""
        return f"; --blur: url(data:image/webp;base64,{self.media.blur})" if self.media.blur else ""

    @property
    def download(self) -> str:
        """The address that saves the original under a name that means something."""
        return f"{self.original}?download=1"

    @property
    def settings(self) -> str:
        """The fragment that fills the Create page with this picture's settings."""
        return as_fragment(self.media)


def tiles(pictures: Iterable[Media], viewer: User, sought: Wanted | None = None) -> list[Tile]:
    """`pictures` in their order, for `viewer`, in three queries however many they are; with what `sought` matches."""
    pictures = list(pictures)
    ids = [media.pk for media in pictures]
    prefetch_related_objects(pictures, "renditions")
    liked = Like.objects.filter(media__in=ids).values("media").order_by()
    likes = {row["media"]: row for row in liked.annotate(n=Count("pk"), own=Count("pk", filter=Q(user=viewer)))}
    editable = set(Media.objects.editable_by(viewer).filter(pk__in=ids).values_list("pk", flat=True))
    return [_tile(media, viewer, likes.get(media.pk), media.pk in editable, sought) for media in pictures]


def smallest(media: Media) -> str:
    """The kind of file of `media` that a small view of it takes: its tile, where there is one yet."""
    return Rendition.Kind.TILE if media.renditions.filter(kind=Rendition.Kind.TILE).exists() else ORIGINAL


def in_rows(shown: Sequence[Tile], *, is_end: bool = True) -> list[tuple[Tile, str]]:
    """Each tile with the style that places it in justified rows; `is_end`: no further page follows."""
    places = rows.styles([tile.media.width / tile.media.height for tile in shown], is_end=is_end)
    return [(tile, place + tile.placeholder) for tile, place in zip(shown, places, strict=True)]


def _tile(media: Media, viewer: User, likes: dict | None, is_editable: bool, sought: Wanted | None) -> Tile:
    present = {rendition.kind: rendition for rendition in media.renditions.all()}
    small = Rendition.Kind.TILE if Rendition.Kind.TILE in present else ORIGINAL
    strip = present.get(Rendition.Kind.FILMSTRIP)
    film = None
    if strip and strip.frames > 1:
        film = Film(media_url(media, strip.kind, viewer), strip.frames)
    webp = [present[kind] for kind in STEPS["webp"] if kind in present]
    avif = [present[kind] for kind in STEPS["avif"] if kind in present]
    return Tile(
        media=media,
        src=media_url(media, small, viewer),
        webp=_srcset(webp, media, viewer) if len(webp) > 1 else "",
        avif=_srcset(avif, media, viewer),
        original=media_url(media, ORIGINAL, viewer),
        film=film,
        likes=likes["n"] if likes else 0,
        is_liked=bool(likes and likes["own"]),
        is_editable=is_editable,
        match=snippet((media.title, media.prompt), sought) if sought else [],
    )


def _srcset(found: list[Rendition], media: Media, viewer: User) -> str:
    return ", ".join(f"{media_url(media, rendition.kind, viewer)} {rendition.width}w" for rendition in found)
