"""What a stranger with a link sees. Nothing here names a person, a prompt, or anything else of the inside."""

import hmac
from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.utils.http import content_disposition_header
from django.utils.text import slugify
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe
from PIL import Image

from accounts.limits import count
from gallery import renditions, services
from gallery.models import Brand, Media, ShareLink
from gallery.views import files
from gallery.views.rows import styles

VISITS = {"times": 240, "seconds": 60}  # requests to one link from one address
GUESSES = {"times": 10, "seconds": 600}  # wrong passwords for one link, wherever they come from
REMEMBERED = 24 * 3600  # seconds a right password is good for in that browser


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def shared(request: HttpRequest, token: str) -> HttpResponse:
    """The page behind a link, or the question for its password."""
    link = _open(request, token)
    if isinstance(link, HttpResponse):
        return link
    if not _has_password(request, link):
        return _ask_password(request, link, token)
    services.count_opening(link)
    pictures = list(link.pictures())
    places = styles([media.width / media.height for media in pictures], is_end=True) if pictures else []
    context = {
        **_brand(link),
        "token": token,
        "title": link.album.name if link.album else _("A picture for you"),
        "description": link.album.description if link.album else "",
        "pictures": list(zip(pictures, places, strict=True)),
        "link": link,
    }
    return _quiet(render(request, "gallery/shared.html", context))


def _ask_password(request: HttpRequest, link: ShareLink, token: str) -> HttpResponse:
    error, status = "", 200
    if request.method == "POST":
        if count(f"guess.{link.pk}", **GUESSES).is_exceeded:
            error, status = _("Too many wrong passwords. Try again in ten minutes."), 429
        elif link.opens_with(request.POST.get("password", "")[:100]):
            response = redirect("gallery:shared", token)
            response.set_signed_cookie(
                _cookie(link),
                _proof(link),
                salt="share",
                max_age=REMEMBERED,
                path=f"/s/{token}/",
                httponly=True,
                samesite="Lax",
                secure=request.is_secure(),
            )
            return _quiet(response)
        else:
            error, status = _("That is not the password. Ask whoever gave you the link."), 403
    context = {**_brand(link), "error": error, "token": token}
    return _quiet(render(request, "gallery/shared_password.html", context, status=status))


@require_safe
def file(request: HttpRequest, token: str, media: UUID, kind: str) -> HttpResponseBase:
    """A picture of the link to look at (`view`), or its original where the link allows that (`original`)."""
    link = _open(request, token)
    if isinstance(link, HttpResponse):
        return link
    found = link.pictures().select_related("team").filter(pk=media).first()
    allowed = {"view", "original"} if link.may_download else {"view"}
    if found is None or kind not in allowed or not _has_password(request, link):
        raise Http404
    is_draft = services.is_draft(found)
    if kind == "view":
        with found.file.open("rb") as stored, Image.open(stored) as image:
            response = HttpResponse(renditions.view(image, is_draft=is_draft), content_type="image/webp")
        response["Cache-Control"] = "private, max-age=300"
        return _quiet(response)
    if request.method == "GET":
        services.count_download(link)
    name = content_disposition_header(True, f"{_file_name(link, found)}.png")
    headers = {"Content-Type": "image/png", "Content-Disposition": name, "Cache-Control": "private, no-store"}
    return _quiet(files.marked(found.file, headers) if is_draft else files.send(found.file, headers))


@require_safe
def logo(request: HttpRequest, token: str) -> HttpResponse:
    """The brand's mark; before the password too, as the question for it shows whose it is."""
    link = _open(request, token)
    if isinstance(link, HttpResponse):
        return link
    brand = Brand.objects.filter(team=link.team_id).exclude(logo="").first()
    if brand is None:
        raise Http404
    with brand.logo.open("rb") as stored:
        return _quiet(HttpResponse(stored.read(), content_type="image/png"))


def _open(request: HttpRequest, token: str) -> ShareLink | HttpResponse:
    """The link, if it opens anything; the same answer for one that never was, has ended, or was revoked."""
    if count(f"visit.{request.META.get('REMOTE_ADDR')}.{token[:16]}", **VISITS).is_exceeded:
        return _quiet(render(request, "gallery/shared_over.html", {"is_busy": True}, status=429))
    link = ShareLink.objects.valid().by_token(token).select_related("album", "team").first()
    if link is None:
        return _quiet(render(request, "gallery/shared_over.html", status=404))
    return link


def _has_password(request: HttpRequest, link: ShareLink) -> bool:
    if not link.password:
        return True
    given = request.get_signed_cookie(_cookie(link), default="", salt="share", max_age=REMEMBERED)
    return hmac.compare_digest(given, _proof(link))


def _cookie(link: ShareLink) -> str:
    return f"share-{link.pk.hex}"


def _proof(link: ShareLink) -> str:
    """What a right password leaves in the browser: worth nothing once the link has another password."""
    return ShareLink.hash(f"{link.pk}{link.password}")


def _brand(link: ShareLink) -> dict[str, object]:
    brand = Brand.objects.filter(team=link.team_id).first()
    return {"brand": brand.name if brand and brand.name else link.team.name, "has_logo": bool(brand and brand.logo)}


def _file_name(link: ShareLink, media: Media) -> str:
    return slugify(f"{link.album.name if link.album else media.title or 'picture'} {str(media.pk)[:4]}")


def _quiet(response: HttpResponseBase) -> HttpResponseBase:
    """Tells search engines to stay away, and browsers not to tell other sites the address."""
    response["X-Robots-Tag"] = "noindex, nofollow, noarchive, noimageindex"
    response["Referrer-Policy"] = "same-origin"
    return response
