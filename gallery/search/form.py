"""What people ask the gallery for, as its address says it."""

from datetime import date, datetime, time, timedelta
from typing import Any
from uuid import UUID

from django import forms
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q, QuerySet
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.http import urlencode
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from gallery.models import Album, Like, Media
from gallery.models.album import AlbumItem
from gallery.words import Wanted, mark


class Tab(models.TextChoices):
    """Whose pictures."""

    MINE = "mine", _("Mine")
    TEAM = "team", _("Team")
    SHARED = "shared", _("Shared with me")
    PUBLISHED = "published", _("Published")
    ALL = "all", _("All")  # for programs: everything that one may see


class Sort(models.TextChoices):
    """In which order."""

    BEST = "best", _("Best match")
    NEWEST = "newest", _("Newest first")
    OLDEST = "oldest", _("Oldest first")
    LIKED = "liked", _("Most liked")
    RATED = "rated", _("Best rated")


class Colour(models.TextChoices):
    """Names of gallery.colours.SWATCHES, in words."""

    RED = "red", _("Red")
    ORANGE = "orange", _("Orange")
    YELLOW = "yellow", _("Yellow")
    GREEN = "green", _("Green")
    TEAL = "teal", _("Teal")
    BLUE = "blue", _("Blue")
    PURPLE = "purple", _("Purple")
    PINK = "pink", _("Pink")
    BROWN = "brown", _("Brown")
    WHITE = "white", _("White")
    GREY = "grey", _("Grey")
    BLACK = "black", _("Black")


class Size(models.TextChoices):
    """By the longest edge."""

    SMALL = "small", _("Small, below 768 px")
    MEDIUM = "medium", _("Medium, below 1536 px")
    LARGE = "large", _("Large, below 3072 px")
    HUGE = "huge", _("Huge")


class Shape(models.TextChoices):
    """By width over height."""

    TALL = "tall", _("Tall")
    PORTRAIT = "portrait", _("Portrait")
    SQUARE = "square", _("Square")
    LANDSCAPE = "landscape", _("Landscape")
    WIDE = "wide", _("Wide")


NOT_REVIEWED = "none"
STATUSES = [(value or NOT_REVIEWED, label) for value, label in Media.ReviewState.choices]


# Days whose midnights there are in every time zone.
DAYS = [MinValueValidator(date(1900, 1, 1)), MaxValueValidator(date(9000, 1, 1))]


class Search(forms.Form):
    """The gallery's address: which tab, and what narrows it. The picture page carries it, to walk the same order."""

    tab = forms.ChoiceField(choices=Tab, required=False)
    sort = forms.ChoiceField(choices=Sort, required=False)
    q = forms.CharField(label=_("Text"), max_length=200, required=False)
    person = forms.IntegerField(label=_("Made by"), min_value=1, max_value=2**63 - 1, required=False)
    model = forms.CharField(label=_("Model"), max_length=120, required=False)
    style = forms.CharField(label=_("Style"), max_length=60, required=False)
    way = forms.CharField(label=_("Made how"), max_length=20, required=False)
    adapter = forms.CharField(label=_("Adapter"), max_length=120, required=False)
    album = forms.UUIDField(label=_("Album"), required=False)
    tag = forms.CharField(label=_("Tag"), max_length=40, required=False)
    status = forms.ChoiceField(label=_("Review"), choices=STATUSES, required=False)
    colour = forms.ChoiceField(label=_("Colour"), choices=Colour, required=False)
    shape = forms.ChoiceField(label=_("Shape"), choices=Shape, required=False)
    size = forms.ChoiceField(label=_("Size"), choices=Size, required=False)
    since = forms.DateField(label=_("From"), required=False, validators=DAYS)
    until = forms.DateField(label=_("Until"), required=False, validators=DAYS)
    seed = forms.IntegerField(label=_("Seed"), min_value=0, max_value=2**63 - 1, required=False)
    likes = forms.IntegerField(label=_("Likes, at least"), min_value=1, max_value=10**6, required=False)
    stars = forms.IntegerField(label=_("Stars, at least"), min_value=1, max_value=5, required=False)
    liked = forms.BooleanField(label=_("Liked by me"), required=False)
    like = forms.UUIDField(label=_("Like a picture"), required=False)
    meaning = forms.BooleanField(label=_("By meaning"), required=False)

    likeness: dict[UUID, float] | None = None  # of candidates, when the search goes by meaning

    @property
    def tab_name(self) -> str:
        """The chosen tab; the first one when the address names none."""
        return self.cleaned_data["tab"] or Tab.MINE

    @property
    def sort_name(self) -> str:
        """The chosen order; without one the best match for a text, else the newest first."""
        chosen = self.cleaned_data["sort"]
        if chosen and (self.has_matches or chosen != Sort.BEST):
            return chosen
        return self._own_sort

    @property
    def _own_sort(self) -> str:
        """The order without a choice."""
        return Sort.BEST if self.has_matches else Sort.NEWEST

    @property
    def has_matches(self) -> bool:
        """Whether some pictures can match better than others."""
        return self.asks_for_meaning or bool(Wanted.of(self.cleaned_data["q"]))

    @property
    def wanted(self) -> Wanted:
        """The words that were typed, and the marks of filters that pictures may match in several ways."""
        asked = self.cleaned_data
        marks = [mark(kind, asked[kind]) for kind in MARKED if asked[kind]]
        return Wanted.of(asked["q"], marks)

    @property
    def asks_for_meaning(self) -> bool:
        """Whether a worker has to be asked: for what is like a picture, or like a text."""
        return bool(self.cleaned_data["like"] or (self.cleaned_data["meaning"] and Wanted.of(self.cleaned_data["q"])))

    @property
    def is_narrowed(self) -> bool:
        """Whether anything beside the tab and the order was asked for."""
        return bool(self.on())

    def on(self) -> list[str]:
        """The names of the filters that are on."""
        return [name for name in FILTERS if self.cleaned_data[name] not in ("", None, False)]

    def kept(self, leaving: str = "") -> list[tuple[str, str]]:
        """What a form that changes `leaving` carries along in hidden fields."""
        names = ["tab", "sort", "meaning", *self.on()]
        asked = {name: 1 if self.cleaned_data[name] is True else self.cleaned_data[name] for name in names}
        return [(name, str(value)) for name, value in asked.items() if value and name != leaving]

    def plain(self) -> str:
        """The query string without any filter."""
        return self.query(**dict.fromkeys((*FILTERS, "meaning"), ""))

    def narrow(self, pictures: QuerySet[Media], viewer: User) -> QuerySet[Media]:
        """Those of `pictures` that match the text and every choice."""
        asked, wanted = self.cleaned_data, self.wanted
        if asked["q"] and not wanted.words:
            return pictures.none()  # nothing that anybody could be looking for
        if self.likeness is not None:
            pictures = pictures.filter(pk__in=self.likeness)
            wanted = wanted if asked["like"] else Wanted(marks=wanted.marks)  # words beside a picture narrow
        elif asked["like"]:
            return pictures.none()
        if wanted:
            pictures = pictures.filter(words__matches=wanted)
        equal = {column: asked[name] for name, column in COLUMNS.items() if asked[name] not in ("", None)}
        if asked["status"]:
            equal["review_state"] = "" if asked["status"] == NOT_REVIEWED else asked["status"]
        pictures = self.dated(pictures.filter(**equal))
        if asked["liked"]:
            pictures = pictures.filter(pk__in=Like.objects.filter(user=viewer).values("media"))
        return pictures.filter(_in_album(asked["album"], viewer)) if asked["album"] else pictures

    def dated(self, pictures: QuerySet[Media]) -> QuerySet[Media]:
        """Those of `pictures` that were made in the days asked for."""
        since, until = self.cleaned_data["since"], self.cleaned_data["until"]
        if since:
            pictures = pictures.filter(created__gte=_midnight(since))
        return pictures.filter(created__lt=_midnight(until + timedelta(days=1))) if until else pictures

    def query(self, **changes: Any) -> str:
        """The query string of this search with `changes`, ? included; empty when nothing is asked for."""
        values = {
            key: value for key, value in {**self.cleaned_data, **changes}.items() if value not in ("", None, False)
        }
        values = {key: 1 if value is True else value for key, value in values.items()}
        return f"?{urlencode(values)}" if values else ""

    def canonical(self) -> str:
        """The query string that a search is kept under: one text for all addresses that ask for the same."""
        return self.query(tab=self.tab_name, sort="" if self.sort_name == self._own_sort else self.sort_name)[1:]

    def chips(self, viewer: User) -> list[tuple[str, str, str]]:
        """(label, value, the address without it) of each filter that is on."""
        names = self.on()
        return [(str(self.fields[name].label), self._value(name, viewer), self.query(**{name: ""})) for name in names]

    def _value(self, name: str, viewer: User) -> str:
        """How a person reads what was chosen."""
        value = self.cleaned_data[name]
        if isinstance(self.fields[name], forms.ChoiceField):
            return str(dict(self.fields[name].choices)[value])  # type: ignore[attr-defined]
        if name == "way":
            return str(dict(Media.Way.choices).get(value, value))
        if name == "person":
            return str(_person(value, viewer) or _("Somebody"))
        if name == "like":
            return str(Media.objects.visible_to(viewer).filter(pk=value).first() or _("A picture"))[:60]
        if name == "album":
            return str(Album.objects.visible_to(viewer).filter(pk=value).first() or _("An album"))
        if isinstance(value, date):
            return date_format(value, "SHORT_DATE_FORMAT")
        return str(_("Yes")) if value is True else str(value)


# What narrows the tab, in the order of their chips.
FILTERS = tuple(name for name in Search.base_fields if name not in ("tab", "sort", "meaning"))
MARKED = ("tag", "adapter", "colour", "shape", "size")
COLUMNS = {
    "person": "owner",
    "model": "checkpoint",
    "style": "style",
    "way": "way",
    "seed": "seed",
    "likes": "like_count__gte",
    "stars": "stars__gte",
}


def _in_album(album: UUID, viewer: User) -> Q:
    """An album that one may not see narrows to nothing: which of one's own pictures are in it is not told either."""
    seen = Album.objects.visible_to(viewer).filter(pk=album)
    items = AlbumItem.objects.order_by().filter(album=album) if seen.exists() else AlbumItem.objects.none()
    return Q(pk__in=items.values("media"))


def _person(pk: int, viewer: User) -> User | None:
    """Whose name one may know: one's own, and of those who made something one may see."""
    seen = pk == viewer.pk or Media.objects.visible_to(viewer).filter(owner=pk).exists()
    return User.objects.filter(pk=pk).first() if seen else None


def _midnight(day: date) -> datetime:
    return timezone.make_aware(datetime.combine(day, time.min))
