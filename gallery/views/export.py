"""Choosing channels for pictures and placing their crops."""

from dataclasses import dataclass
from uuid import UUID

from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBadRequest, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from accounts.permissions import can
from accounts.roles import Action
from gallery import services
from gallery.export.naming import TOKENS
from gallery.export.spec import PLACES
from gallery.export_forms import FILLED, ExportForm, FocusForm
from gallery.models import Album, Brand, BrandFont, Channel, Format, Media
from gallery.views.tiles import Tile, tiles

MOST_PICTURES = 500
FIRST_CHOICE = ("instagram-square", "instagram-portrait", "instagram-story")


@dataclass(frozen=True)
class PictureView:
    """One picture, and where its crops lie."""

    tile: Tile
    is_draft: bool
    points: dict[int, tuple[float, float]]  # by channel, those that were set


@login_required
@require_http_methods(["GET", "POST"])
def export(request: HttpRequest) -> HttpResponse:
    """The page. Pictures by `media` (any number of them) or `album`; a POST for more than an address can name."""
    asked = request.POST if request.method == "POST" else request.GET
    media = _media(request, asked)
    return _page(request, media)


def _page(request: HttpRequest, media: list[Media], status: int = 200, problem: str = "") -> HttpResponse:
    channels = list(Channel.objects.for_team(request.team))
    points = services.focus_points(media=media, channels=channels)
    chosen = request.POST.getlist("channel") or [str(one.pk) for one in channels if one.slug in FIRST_CHOICE]
    drafts = services.drafts_among(media)
    shown = [
        PictureView(tile, tile.media.pk in drafts, _points(tile.media, points)) for tile in tiles(media, request.user)
    ]
    context = {
        "pictures": shown,
        "channels": channels,
        "chosen": set(chosen),
        "filled": {**FILLED, **request.POST.dict()} if status != 200 else FILLED,
        "formats": Format.choices,
        "tokens": TOKENS,
        "places": [(place, _words(place)) for place in PLACES],
        "brand": Brand.objects.filter(team=request.team).first(),
        "fonts": BrandFont.objects.filter(team=request.team),
        "problem": problem,
        "drafts": len(drafts),
    }
    return render(request, "gallery/export.html", context, status=status)


def _media(request: HttpRequest, asked) -> list[Media]:
    """What was chosen, in its order, as far as this person sees it. 404 for an album they do not."""
    visible = Media.objects.visible_to(request.user).kept()
    if album := asked.get("album"):
        found = get_object_or_404(Album.objects.visible_to(request.user), pk=_uuid(album))
        return list(visible.filter(places__album=found).order_by("places__position")[:MOST_PICTURES])
    ids = [_uuid(value) for value in asked.getlist("media")[:MOST_PICTURES]]
    held = visible.in_bulk(ids)
    if ids and not held:
        raise Http404
    return [held[pk] for pk in dict.fromkeys(ids) if pk in held]


def _uuid(value: str) -> UUID:
    try:
        return UUID(value)
    except ValueError as error:
        raise Http404 from error


def _points(media: Media, points: dict[str, tuple[float, float]]) -> dict[int, tuple[float, float]]:
    return {int(key.split(":")[1]): point for key, point in points.items() if key.startswith(str(media.pk))}


def _words(place: str) -> str:
    return {
        "top-left": _("Top left"),
        "top": _("Top"),
        "top-right": _("Top right"),
        "left": _("Left"),
        "middle": _("Middle"),
        "right": _("Right"),
        "bottom-left": _("Bottom left"),
        "bottom": _("Bottom"),
        "bottom-right": _("Bottom right"),
    }[place]


@login_required
@require_POST
def start(request: HttpRequest) -> HttpResponse:
    """Puts an export in line, and leads to where it can be watched."""
    media = _media(request, request.POST)
    form = ExportForm(request.POST, channels=list(Channel.objects.for_team(request.team)))
    if not form.is_valid():
        return _page(request, media, 422, form.first_error())
    ids = [str(one.pk) for one in media]
    try:
        services.create_export(
            user=request.user, team=request.team, wishes=form.wishes(ids), name=form.cleaned_data["name"]
        )
    except services.Refused as refused:
        return _page(request, media, 422, str(refused))
    return redirect("gallery:exports")


@login_required
@require_POST
def sizes(request: HttpRequest) -> HttpResponse:
    """Asks a worker how large the crops would be that the page shows first; its answer comes by the page's socket."""
    media = _media(request, request.POST)
    form = ExportForm(request.POST, channels=list(Channel.objects.for_team(request.team)))
    if not form.is_valid():
        return JsonResponse({"problem": form.first_error()}, status=422)
    wishes = form.wishes([str(one.pk) for one in media[: services.MOST_WEIGHED]])
    return JsonResponse({"token": services.ask_weights(user=request.user, team=request.team, wishes=wishes)})


@login_required
@require_POST
def focus(request: HttpRequest) -> HttpResponse:
    """Remembers where a crop lies."""
    form = FocusForm(request.POST)
    if not form.is_valid():
        return HttpResponseBadRequest(_("Place the crop once more."))
    wanted = form.cleaned_data
    media = get_object_or_404(Media.objects.visible_to(request.user), pk=wanted["media"])
    channel = get_object_or_404(Channel.objects.for_team(request.team), pk=wanted["channel"])
    if can(request.user, Action.ORGANISE, media.team):  # for others it holds in their own export only
        services.set_focus(user=request.user, media=media, channel=channel, x=wanted["x"], y=wanted["y"])
    return HttpResponse(status=204)
