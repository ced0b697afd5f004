"""Rows of pictures without any files, as many as wanted, to see how pages and searches behave in a full house.

One INSERT … SELECT a batch: every row is a copy of one of the demo's drawn pictures, with an id, a time, words and a
number of its own. The columns are the model's, so that one added later is copied too. Then what people do with them:
tags, likes, stars, albums, each an INSERT … SELECT by the number of the row.
"""

import math
from collections.abc import Callable

from django.db import connection, transaction

from accounts.models import Team
from gallery.models import Album, Like, Media, Rating, Tag
from gallery.models.album import AlbumItem
from gallery.models.words import words_of

BATCH = 50_000
YEARS = 3.0  # over how long a time they are spread
SINCE = 40 * 86_400  # seconds ago, of the latest: older than the drawn ones, which a page shows first
PREFIX = "5eed0000-0000-4000-8000-"  # of every id, then the number of the row in hexadecimal

MOODS = ("calm", "bright", "festive", "misty", "golden", "playful", "minimal", "dramatic", "cosy", "fresh")  # 10 % each
TAGS = ("spring", "summer sale", "newsletter", "packaging", "social", "launch", "outdoor", "press")
TAGGED = 25  # every 25th picture has a tag of these, each of them every 200th
ADMIRERS = 6  # people who like things
LIKED = 23  # each of them likes every 23rd, beginning with their own number
RATED = 10  # every 10th has stars
IN_ALBUM = 2_000

# Expressions of SQL in which n is the number of a row, m the picture it is copied from.
POSTGRES = {
    "id": f"('{PREFIX}' || lpad(to_hex(n), 12, '0'))::uuid",
    "created": "now() - (%(since)s + %(step)s * n) * interval '1 second'",
    "file": "'metadata/' || to_hex(n) || '.png'",
    "sha256": "lpad(to_hex(n), 64, '0')",
    "job": "NULL::uuid",
}
SQLITE = {
    "id": f"'{PREFIX.replace('-', '')}' || printf('%%012x', n)",
    "created": "strftime('%%Y-%%m-%%d %%H:%%M:%%f', 'now', '-' || (%(since)s + %(step)s * n) || ' seconds')",
    "file": "'metadata/' || printf('%%x', n) || '.png'",
    "sha256": "printf('%%064x', n)",
    "job": "NULL",
}


def _choice(values: tuple[str, ...], place: str) -> str:
    """SQL for the value at `place`, an expression that counts from 0."""
    cases = " ".join(f"WHEN {at} THEN '{value}'" for at, value in enumerate(values))
    return f"CASE {place} {cases} END"


_MOOD = _choice(MOODS, f"(n + n / {len(MOODS)}) %% {len(MOODS)}")
_TAG_PLACE = f"CASE WHEN n %% {TAGGED} = 0 THEN n / {TAGGED} %% {len(TAGS)} END"
_STARS = f"CASE WHEN n %% {RATED} = 0 THEN 1 + n / {RATED} %% 5 ELSE 0 END"
_LIKES = " + ".join(f"(CASE WHEN n %% {LIKED} = {number} THEN 1 ELSE 0 END)" for number in range(0, ADMIRERS * 2, 2))
BOTH = {
    "prompt": f"m.prompt || ', ' || {_MOOD} || ', take ' || n",
    "seed": "(m.seed + n) %% 4294967296",
    "deleted": "NULL",
    "derived": "1",
    "version_of_id": "NULL",
    "made_from_id": "NULL",
    "like_count": _LIKES,
    "stars": _STARS,
}
SERIES = {
    "postgresql": "generate_series(%(first)s, %(last)s) AS series(n)",
    "sqlite": (
        "(WITH RECURSIVE s(n) AS (SELECT %(first)s UNION ALL SELECT n + 1 FROM s WHERE n < %(last)s) SELECT n FROM s)"
    ),
}


def fill(team: Team, rows: int, tell: Callable[[int], None], **own: str) -> int:
    """Brings `team` to `rows` rows of metadata; `own`: expressions for columns. How many were added; RuntimeError
    without a drawn picture."""
    drawn = Media.objects.filter(team=team, job__isnull=False)
    present = Media.objects.filter(file__startswith="metadata/").count()
    templates = drawn.count()
    if rows > present and not templates:
        raise RuntimeError("There is no picture to copy from: draw some first (--pictures).")
    step = math.ceil(YEARS * 365 * 86_400 / max(1, rows))
    facts = {"step": step, "since": SINCE, "templates": templates, "team": _value(Team, team.pk)}
    for first in range(present, rows, BATCH):
        last = min(first + BATCH, rows) - 1
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(_statement(own), facts | {"first": first, "last": last})
            for statement, more in _deeds(team):
                cursor.execute(statement, more | {"first": first, "last": last})
        tell(last + 1)
    return max(0, rows - present)


def _value(model: type, value: object) -> object:
    return model._meta.pk.get_db_prep_value(value, connection)


def _ours() -> dict[str, str]:
    return SQLITE if connection.vendor == "sqlite" else POSTGRES


def _statement(own: dict[str, str]) -> str:
    known = BOTH | _ours() | {"words": _words()} | own
    columns = [field.column for field in Media._meta.concrete_fields]
    values = ", ".join(known.get(column, f"m.{column}" if column != "index" else 'm."index"') for column in columns)
    names = ", ".join(connection.ops.quote_name(column) for column in columns)
    table = connection.ops.quote_name(Media._meta.db_table)
    # S608: every name here comes from the model; what a person gave is passed beside the statement.
    return (
        f"INSERT INTO {table} ({names}) SELECT {values} FROM {SERIES[connection.vendor]} "  # noqa: S608
        f"JOIN (SELECT *, row_number() OVER (ORDER BY seed, id) - 1 AS place FROM {table} "
        "WHERE team_id = %(team)s AND job IS NOT NULL) AS m ON m.place = n %% %(templates)s"
    )


def _words() -> str:
    """The copied picture's words with the row's own: mood, number, tag."""
    tagged = tuple(words_of(Media(width=1, height=1), [name]) for name in TAGS)
    if connection.vendor == "sqlite":
        tags = _choice(tuple(" ".join([*words.tags, words.marks[0]]) for words in tagged), f"({_TAG_PLACE})")
        return f"m.words || ' ' || {_MOOD} || ' take ' || n || coalesce(' ' || {tags}, '')"
    literals = tuple(
        " ".join([*(f"''{word}'':{at}B" for at, word in enumerate(words.tags, 1)), f"''{words.marks[0]}''"])
        for words in tagged
    )
    tags = _choice(literals, f"({_TAG_PLACE})")
    own = f"quote_literal({_MOOD}) || ':1 ''take'':2 ' || quote_literal(n::text) || ':3'"
    return f"m.words || ({own})::tsvector || coalesce({tags}, '')::tsvector"


def _deeds(team: Team) -> list[tuple[str, dict[str, object]]]:
    """What people did with the rows from `first` to `last`: statements, and what they are to be given."""
    ident = _ours()["id"]
    series = SERIES[connection.vendor]
    people = list(team.members.order_by("pk")[:ADMIRERS])
    found: list[tuple[str, dict[str, object]]] = []

    def insert(into: str, columns: str, values: str, where: str, **facts: object) -> None:
        sql = f"INSERT INTO {into} ({columns}) SELECT {values} FROM {series} WHERE {where}"  # noqa: S608
        found.append((sql, facts))

    now = "CURRENT_TIMESTAMP"
    for number, person in enumerate(people):
        where = f"n %% {LIKED} = {2 * number}"
        insert(Like._meta.db_table, "media_id, user_id, created", f"{ident}, %(user)s, {now}", where, user=person.pk)
    if people:
        stars = f"{ident}, %(user)s, {_STARS}"
        insert(Rating._meta.db_table, "media_id, user_id, stars", stars, f"n %% {RATED} = 0", user=people[0].pk)
    for place, name in enumerate(TAGS):
        tag, _is_new = Tag.objects.get_or_create(team=team, name=name)
        where = f"{_TAG_PLACE} = {place}"
        insert(Tag.pictures.through._meta.db_table, "media_id, tag_id", f"{ident}, %(tag)s", where, tag=tag.pk)
    album, _is_new = Album.objects.get_or_create(
        team=team, name="Archive", defaults={"owner": people[0] if people else None}
    )
    place = f"{ident}, %(album)s, n, {now}"
    insert(
        AlbumItem._meta.db_table,
        "media_id, album_id, position, added",
        place,
        f"n < {IN_ALBUM}",
        album=_value(Album, album.pk),
    )
    return found
