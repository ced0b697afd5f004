"""What requests have in common: whose team they are for, what is wrong with them, and that asking twice makes once."""

from collections.abc import Iterator
from typing import Annotated, Any
from uuid import UUID

from django.forms import Form
from django.http import HttpRequest
from django.shortcuts import get_object_or_404
from django.utils.translation import gettext as _
from ninja import Header, Schema
from ninja.errors import ValidationError
from pydantic import field_validator

from accounts.models import Team
from accounts.roles import Action

Once = Annotated[
    str | None,
    Header(
        alias="Idempotency-Key",
        max_length=255,
        description="any words of yours: sent again within a day, the same request makes nothing anew",
    ),
]
BINARY = {"type": "string", "format": "binary"}  # for descriptions: the schema of a file


class Asked(Schema):
    """The body of a request. No text in it has the character NUL, which PostgreSQL keeps nowhere."""

    @field_validator("*")
    @classmethod
    def _without_nul(cls, value: Any) -> Any:
        if any("\0" in text for text in _texts(value)):
            raise ValueError(_("Leave out the character NUL."))
        return value


def _texts(value: Any) -> Iterator[str]:
    """The texts in a field, keys included; schemas in it look after their own."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for key, one in value.items():
            yield from (*_texts(key), *_texts(one))
    elif isinstance(value, list | tuple):
        for one in value:
            yield from _texts(one)


def asked(request: HttpRequest, body: bytes | None = None) -> bytes:
    """The request as it came, for accounts.services.once; `body` where it was read already."""
    return b" ".join([request.method.encode(), request.path.encode(), request.body if body is None else body])


def mistake(message: str, *place: str | int) -> dict[str, Any]:
    """One error of a malformed request, `place` being where in the body."""
    return {"loc": ("body", "wanted", *place), "msg": message, "type": "value"}


def mistakes(form: Form, *place: str | int) -> list[dict[str, Any]]:
    """The errors of a form as those of a malformed request."""
    return [
        mistake(str(message), *place, *([] if field == "__all__" else [field]))
        for field, messages in form.errors.items()
        for message in messages
    ]


def checked(form: Form) -> dict[str, Any]:
    """What a form makes of a body. ValidationError with the path of each mistake."""
    if not form.is_valid():
        raise ValidationError(mistakes(form))
    return form.cleaned_data


def team_of(request: HttpRequest, pk: UUID | None) -> Team:
    """The team that a body names, or the caller's own choice. ValidationError for one that they are not in."""
    if pk is None:
        return request.team
    found = Team.objects.where(request.user, Action.VIEW).filter(pk=pk).first()
    if found is None:
        raise ValidationError([mistake(_("You are in no team with this id."), "team")])
    return found


def team_asked(request: HttpRequest, pk: UUID | None) -> Team:
    """The same for an address: 404 for a team that the caller is not in."""
    return request.team if pk is None else get_object_or_404(Team.objects.where(request.user, Action.VIEW), pk=pk)
