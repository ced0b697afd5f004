"""Pages by keyset: the cursor is the place of the last row, so the last page is as fast as the first."""

import base64
import binascii
from datetime import UTC, datetime
from typing import Annotated, Any, TypeVar

from django.core.exceptions import ValidationError as Unreadable
from django.db.models import Model, Q, QuerySet
from django.utils.translation import gettext as _
from ninja import Query
from ninja.errors import ValidationError

Limit = Annotated[int, Query(ge=1, le=100)]
Cursor = Annotated[str | None, Query(description="the `next` of the page before")]
NEXT = "give it as `cursor` to read on; null at the end"
Row = TypeVar("Row", bound=Model)


def cut(
    rows: QuerySet[Row], by: str, *, cursor: str | None, limit: int, descending: bool = True
) -> tuple[list[Row], str | None]:
    """(`limit` rows behind `cursor`, the cursor of the next page), in the order of the columns `by` and id.

    ValidationError for a cursor that this order never wrote.
    """
    if cursor:
        value, pk = _read(rows, by, cursor)
        beyond = "lt" if descending else "gt"
        rows = rows.filter(Q(**{f"{by}__{beyond}": value}) | Q(**{by: value, f"pk__{beyond}": pk}))
    sign = "-" if descending else ""
    found = list(rows.order_by(f"{sign}{by}", f"{sign}pk")[: limit + 1])
    return found[:limit], _cursor(found[limit - 1], by) if len(found) > limit else None


def _cursor(row: Model, by: str) -> str:
    value = getattr(row, by)
    text = value.isoformat() if isinstance(value, datetime) else value
    return base64.urlsafe_b64encode(f"{text} {row.pk}".encode()).decode().rstrip("=")


def _read(rows: QuerySet, by: str, cursor: str) -> tuple[Any, Any]:
    fields = [rows.model._meta.get_field(by), rows.model._meta.pk]
    try:
        parts = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode().split(" ")
        value, pk = (field.to_python(part) for field, part in zip(fields, parts, strict=True))
        return value.astimezone(UTC) if isinstance(value, datetime) else value, pk
    except (ValueError, OverflowError, binascii.Error, Unreadable) as error:
        told = {"loc": ("query", "cursor"), "msg": _("Give a cursor as `next` told it."), "type": "cursor"}
        raise ValidationError([told]) from error
