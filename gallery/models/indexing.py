"""The indexes that pages of the gallery walk along, whatever they are sorted and narrowed by.

Three grounds on which many pictures are seen at once (one's own, a team's shared ones, everybody's published ones),
each with an index for every order, and small ones (two columns, equal entries kept once) for single values.
"""

from django.db.models import Index, Q

KEPT = Q(deleted=None)
SHARED = KEPT & ~Q(visibility="private")
PUBLISHED = KEPT & Q(visibility="published")

# ground -> (its column, which rows)
GROUNDS = {"owner": ("owner", KEPT), "team": ("team", SHARED), "public": (None, PUBLISHED)}
# order -> its columns, all descending; backwards they are the opposite order
ORDERS = {"created": ("created", "id"), "likes": ("like_count", "created", "id"), "stars": ("stars", "created", "id")}
FACETS = ("checkpoint", "style", "way", "owner", "review_state")


def _orders() -> list[Index]:
    found = []
    for ground, (column, rows) in GROUNDS.items():
        for order, columns in ORDERS.items():
            if (ground, order) == ("owner", "created"):
                continue  # media_of_owner
            fields = [*([column] if column else []), *(f"-{name}" for name in columns)]
            found.append(Index(fields=fields, name=f"media_{ground}_by_{order}", condition=rows))
    return found


def _facets() -> list[Index]:
    found = []
    for ground, (column, rows) in GROUNDS.items():
        for facet in FACETS:
            if facet != column:
                fields = [*([column] if column else []), facet]
                found.append(Index(fields=fields, name=f"media_{ground}_{facet}"[:30], condition=rows))
    return found


INDEXES = [
    *_orders(),
    *_facets(),
    Index(fields=["owner", "-created", "-id"], name="media_private", condition=KEPT & Q(visibility="private")),
    Index(fields=["seed"], name="media_of_seed", condition=KEPT),
]
