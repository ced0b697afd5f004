"""Albums: all of them, one of them, and what is done to one."""

from collections import Counter, defaultdict
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.db.models import Case, Count, F, QuerySet, When, Window
from django.db.models.functions import RowNumber
from django.http import HttpRequest, HttpResponse, HttpResponseBadRequest
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST, require_safe

from accounts.permissions import can
from accounts.roles import Action
from gallery import services
from gallery.forms import AlbumForm, AlbumMemberForm, AlbumTab
from gallery.links import media_url
from gallery.models import Album, AlbumItem, AlbumMember, Media, Rendition
from gallery.views.tiles import in_rows, tiles

SHOWN = 200  # albums on the page of all of them
COVER_PICTURES = 3


@login_required
@require_safe
def albums(request: HttpRequest) -> HttpResponse:
    """The albums of a tab, the latest changed first."""
    tab = request.GET.get("tab", AlbumTab.TEAM)
    if tab not in AlbumTab.values:
        tab = AlbumTab.TEAM
    return _albums(request, AlbumTab(tab), AlbumForm())


def _albums(request: HttpRequest, tab: AlbumTab, form: AlbumForm, status: int = 200) -> HttpResponse:
    context = {
        "tab": tab,
        "tabs": AlbumTab.choices,
        "cards": _cards(request, tab.of(request.user, request.team)[:SHOWN]),
        "form": form,
        "may_make": can(request.user, Action.ORGANISE, request.team),
    }
    return render(request, "gallery/albums.html", context, status=status)


def _cards(request: HttpRequest, found: QuerySet[Album]) -> list[dict[str, object]]:
    """Each album with how many pictures it holds for this person and its cover or the first few of them."""
    albums = list(found.select_related("owner", "team").prefetch_related("memberships__user"))
    counts, firsts = _first_pictures(request.user, albums)
    return [
        {
            "album": album,
            "covers": [media_url(media, Rendition.Kind.TILE, request.user) for media in firsts[album.pk]],
            "count": counts[album.pk],
            "members": album.memberships.all(),
        }
        for album in albums
    ]


def _first_pictures(viewer, albums: list[Album]) -> tuple[Counter[UUID], defaultdict[UUID, list[Media]]]:
    """By album: how many pictures the viewer sees in it, and the cover or the first few of them."""
    is_cover = Case(When(media=F("album__cover"), then=0), default=1)
    rows = (
        AlbumItem.objects.filter(album__in=albums, media__in=Media.objects.visible_to(viewer).kept())
        .annotate(place=Window(RowNumber(), partition_by="album", order_by=[is_cover, "position", "pk"]))
        .annotate(held=Window(Count("pk"), partition_by="album"))
        .filter(place__lte=COVER_PICTURES)
        .order_by("place")
        .values_list("album", "media", "held")
    )
    media = Media.objects.prefetch_related("renditions").in_bulk([pk for _album, pk, _held in rows])
    counts, firsts = Counter[UUID](), defaultdict[UUID, list[Media]](list)
    for album, pk, held in rows:
        counts[album] = held
        firsts[album].append(media[pk])
    return counts, firsts


@login_required
@require_POST
def create(request: HttpRequest) -> HttpResponse:
    """A new album of the team that the person works in."""
    form = AlbumForm(request.POST)
    if not form.is_valid():
        return _albums(request, AlbumTab.TEAM, form, 422)
    media = [pk for pk in request.POST.getlist("media") if _is_uuid(pk)]
    try:
        album = services.create_album(
            user=request.user, team=request.team, media=[UUID(pk) for pk in media], **form.cleaned_data
        )
    except services.Refused as refusal:
        form.add_error(None, str(refusal))
        return _albums(request, AlbumTab.TEAM, form, 422)
    return redirect(album)


@login_required
@require_safe
def album(request: HttpRequest, pk: UUID) -> HttpResponse:
    """One album: its pictures in their order, who has part in it, what happened to it."""
    found = _visible(request, pk)
    return _page(request, found)


def _page(request: HttpRequest, found: Album, status: int = 200, **extra: object) -> HttpResponse:
    seen = Media.objects.visible_to(request.user).kept()
    pictures = seen.filter(places__album=found).order_by("places__position", "places__pk")
    context = {
        "album": found,
        "tiles": in_rows(tiles(pictures, request.user)),
        "is_editable": Album.objects.editable_by(request.user).filter(pk=found.pk).exists(),
        "is_managed": Album.objects.managed_by(request.user).filter(pk=found.pk).exists(),
        "may_share": can(request.user, Action.SHARE, found.team_id) and found.visibility != Album.Visibility.PRIVATE,
        "members": found.memberships.select_related("user"),
        "form": AlbumForm(initial=vars(found)),
        "member_form": AlbumMemberForm(),
        "activity": found.activity.select_related("actor")[:20],
    }
    return render(request, "gallery/album.html", {**context, **extra}, status=status)


@login_required
@require_POST
def change(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Another name, description or visibility."""
    found = _visible(request, pk)
    form = AlbumForm(request.POST)
    if not form.is_valid():
        return _page(request, found, 422, form=form)
    services.change_album(user=request.user, album=found, **form.cleaned_data)
    return redirect(found)


@login_required
@require_POST
def delete(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Takes the album away, not its pictures."""
    found = _visible(request, pk)
    services.delete_album(user=request.user, album=found)
    messages.success(
        request, _("The album “%(name)s” is gone. Its pictures are still in the gallery.") % {"name": found}
    )
    return redirect("gallery:albums")


@login_required
@require_POST
def move(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Puts `media` in front of `before`, or at the end."""
    found = _visible(request, pk)
    media, before = request.POST.get("media", ""), request.POST.get("before", "")
    if not _is_uuid(media) or (before and not _is_uuid(before)):
        return HttpResponseBadRequest(_("Say which picture, and in front of which."))
    try:
        services.move_in_album(
            user=request.user, album=found, media=UUID(media), before=UUID(before) if before else None
        )
    except services.Refused as refusal:
        messages.error(request, str(refusal))
    return redirect(found)


@login_required
@require_POST
def remove(request: HttpRequest, pk: UUID, media: UUID) -> HttpResponse:
    """Takes one picture out."""
    found = _visible(request, pk)
    services.remove_from_album(user=request.user, album=found, media=[media])
    messages.success(request, _("Taken out of the album. It is still in the gallery."))
    return redirect(found)


@login_required
@require_POST
def cover(request: HttpRequest, pk: UUID, media: UUID) -> HttpResponse:
    """Shows the album by that picture."""
    found = _visible(request, pk)
    try:
        services.set_cover(user=request.user, album=found, media=media)
        messages.success(request, _("The album has a new cover."))
    except services.Refused as refusal:
        messages.error(request, str(refusal))
    return redirect(found)


@login_required
@require_POST
def share(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Gives somebody a right to the album."""
    found = _visible(request, pk)
    form = AlbumMemberForm(request.POST)
    if not form.is_valid():
        return _page(request, found, 422, member_form=form)
    try:
        services.share_album(user=request.user, album=found, **form.cleaned_data)
    except services.Refused as refusal:
        form.add_error("email", str(refusal))
        return _page(request, found, 422, member_form=form)
    return redirect(found)


@login_required
@require_POST
def unshare(request: HttpRequest, pk: UUID, member: int) -> HttpResponse:
    """Takes somebody's right back, or one's own."""
    found = _visible(request, pk)
    services.unshare_album(
        user=request.user, album=found, member=get_object_or_404(AlbumMember, pk=member, album=found)
    )
    return redirect(found if Album.objects.visible_to(request.user).filter(pk=pk).exists() else "gallery:albums")


@login_required
def choose(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Which albums a picture stands in: a list to tick (GET), and the answer to it (POST)."""
    media = get_object_or_404(Media.objects.visible_to(request.user).kept(), pk=pk)
    albums = Album.objects.editable_by(request.user).filter(team=media.team_id)
    if request.method == "POST":
        return _put(request, media, albums)
    context = {
        "media": media,
        "albums": albums[:SHOWN],
        "standing": set(AlbumItem.objects.filter(media=media).values_list("album", flat=True)),
        "may_make": can(request.user, Action.ORGANISE, media.team_id),
    }
    return render(request, "gallery/choose_album.html" if not request.htmx else "gallery/_choose_album.html", context)


def _put(request: HttpRequest, media: Media, albums: QuerySet[Album]) -> HttpResponse:
    wanted = {pk for pk in request.POST.getlist("album") if _is_uuid(pk)}
    name = request.POST.get("name", "").strip()[:120]
    offered = {str(album.pk): album for album in albums[:SHOWN]}
    standing = {str(pk) for pk in AlbumItem.objects.filter(media=media).values_list("album", flat=True)}
    try:
        for pk in wanted & offered.keys() - standing:
            services.add_to_album(user=request.user, album=offered[pk], media=[media.pk])
        for pk in standing & offered.keys() - wanted:
            services.remove_from_album(user=request.user, album=offered[pk], media=[media.pk])
        if name:
            services.create_album(user=request.user, team=media.team, name=name, media=[media.pk])
    except services.Refused as refusal:
        messages.error(request, str(refusal))
        return redirect(media)
    count = len(wanted & offered.keys()) + bool(name)
    text = ngettext("It stands in %(n)d album now.", "It stands in %(n)d albums now.", count) % {"n": count}
    if request.htmx:
        return render(request, "gallery/_chosen.html", {"text": text})
    messages.success(request, text)
    return redirect(media)


def _visible(request: HttpRequest, pk: UUID) -> Album:
    return get_object_or_404(Album.objects.visible_to(request.user).select_related("team", "owner"), pk=pk)


def _is_uuid(text: str) -> bool:
    try:
        UUID(text)
    except ValueError:
        return False
    return True
