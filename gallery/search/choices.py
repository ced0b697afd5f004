"""What there is to choose from in a tab, without reading all of it.

A DISTINCT would read every picture. These values are few and stand in an index, so each next one is looked up behind
the last: a loose index scan, by a recursive query, for all filters in one statement.
"""

from dataclasses import dataclass
from uuid import UUID

from django.db import connection

from accounts.models import Team, User
from accounts.roles import Action
from gallery.models import Album, Media, Tag
from gallery.models.indexing import FACETS
from gallery.search.form import Tab
from gallery.search.grounds import grounds

MOST = 100  # values of one filter, and names in a list
LOOKED_AT = 1000  # pictures shared by albums, which have no index of their own

# As the indexes say it, so that the planner knows them again.
ROWS = {
    Tab.MINE: "deleted IS NULL AND owner_id = %(who)s",
    Tab.TEAM: "deleted IS NULL AND NOT (visibility = 'private') AND team_id = %(team)s",
    Tab.PUBLISHED: "deleted IS NULL AND visibility = 'published'",
}


@dataclass(frozen=True)
class Choices:
    """Values that occur, in the order to show them."""

    models: list[str]
    styles: list[str]
    ways: list[str]
    people: list[tuple[int, str]]
    tags: list[str]
    albums: list[tuple[UUID, str]]


def choices(viewer: User, tab: str, team: UUID | None) -> Choices:
    """In four queries, whatever is there."""
    found = _shared(viewer) if tab == Tab.SHARED else _scanned(viewer, tab, team)
    people = User.objects.filter(pk__in=[int(pk) for pk in found["owner"]])
    names = sorted(((person.pk, str(person)) for person in people), key=lambda pair: pair[1].casefold())
    tags = Tag.objects.filter(team=team, team__in=Team.objects.pks_where(viewer, Action.VIEW))
    albums = Album.objects.visible_to(viewer).order_by("-changed", "-pk")
    return Choices(
        models=found["checkpoint"],
        styles=found["style"],
        ways=found["way"],
        people=names[:MOST],
        tags=list(tags.order_by("name").values_list("name", flat=True)[:MOST]) if tab in (Tab.MINE, Tab.TEAM) else [],
        albums=list(albums.values_list("pk", "name")[:MOST]),
    )


def _scanned(viewer: User, tab: str, team: UUID | None) -> dict[str, list[str]]:
    rows = ROWS[Tab(tab)]
    facets = [facet for facet in FACETS if facet != "review_state"]
    scans, reads = [], []
    for facet in facets:
        column = Media._meta.get_field(facet).column
        # S608: names of the model and conditions of our own; what a person gave is passed beside the statement.
        first = f"SELECT {column} FROM gallery_media WHERE {rows} ORDER BY {column} LIMIT 1"  # noqa: S608
        next_one = f"SELECT {column} FROM gallery_media WHERE {rows} AND {column} > v ORDER BY {column} LIMIT 1"  # noqa: S608
        again = f"SELECT ({next_one}) FROM {facet}_values WHERE v IS NOT NULL"  # noqa: S608
        scans.append(f"{facet}_values (v) AS (SELECT * FROM ({first}) AS one UNION ALL {again})")  # noqa: S608
        some = f"SELECT v FROM {facet}_values WHERE v IS NOT NULL LIMIT {MOST}"  # noqa: S608
        reads.append(f"SELECT '{facet}', CAST(v AS varchar) FROM ({some}) AS {facet}_some")  # noqa: S608
    statement = f"WITH RECURSIVE {', '.join(scans)} {' UNION ALL '.join(reads)}"
    known = {"who": viewer.pk, "team": Team._meta.pk.get_db_prep_value(team, connection)}
    with connection.cursor() as cursor:
        cursor.execute(statement, known)
        found: dict[str, list[str]] = {facet: [] for facet in facets}
        for facet, value in cursor.fetchall():
            if value:
                found[facet].append(str(value))
    return found


def _shared(viewer: User) -> dict[str, list[str]]:
    """By reading the newest of what albums share, which are hundreds rather than a million."""
    found: dict[str, set[str]] = {"checkpoint": set(), "style": set(), "way": set(), "owner": set()}
    for ground in grounds(viewer, Tab.SHARED):
        for row in ground.order_by("-created", "-id").values(*found)[:LOOKED_AT]:
            for facet, value in row.items():
                found[facet] |= {str(value)} if value else set()
    return {facet: sorted(values) for facet, values in found.items()}
