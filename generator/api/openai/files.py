"""Addresses of finished pictures for programs: whoever has one may fetch it for an hour, as OpenAI's clients expect."""

from uuid import UUID

from django.core import signing
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from ninja import Router

from accounts.models import User
from gallery.models import Media
from generator.api.openai import render
from generator.api.openai.errors import OpenAIError

router = Router(tags=["images"])

SALT = "openai.file"
LIFETIME = 3600
TYPES = {"png": "image/png", "jpeg": "image/jpeg", "webp": "image/webp"}


def path_of(media: UUID, user: User, look: render.Look) -> str:
    """Below /v1: signed over the picture, the person whose key asked, and how it is to come."""
    token = signing.dumps([str(media), user.pk, look.size, look.file, look.quality], salt=SALT, compress=True)
    return f"images/files/{token}.{look.file}"


@router.get("/images/files/{token}.{kind}", auth=None, include_in_schema=False)
def file(request: HttpRequest, token: str, kind: str) -> HttpResponse:
    """The picture, while the person whose key asked for it may still see it."""
    try:
        pk, person, size, made_as, quality = signing.loads(token, salt=SALT, max_age=LIFETIME)
    except signing.BadSignature as error:
        raise OpenAIError(404, _("This address has run out. Ask for the picture again.")) from error
    user = User.objects.filter(pk=person, is_active=True).first()
    found = user and Media.objects.visible_to(user).kept().select_related("team").filter(pk=pk).first()
    if not found or kind != made_as:
        raise OpenAIError(404, _("This picture is not here any more."))
    look = render.Look(tuple(size) if size else None, made_as, quality)
    response = HttpResponse(render.picture(found, look), content_type=TYPES[made_as])
    response["X-Content-Type-Options"] = "nosniff"
    return response
