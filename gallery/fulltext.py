"""SQLite's side of text search: an FTS5 table beside the pictures, kept by triggers.

Not in a migration: whenever a later one changes the pictures' table, Django builds it anew, and triggers go with the
old one. So they are looked for after every migrate; where they were missing, the index is filled from the rows.
"""

from typing import Any

from django.db import connections

from gallery.models.words import FTS

TABLE = "gallery_media"
MADE = f"""
CREATE TABLE IF NOT EXISTS {FTS}_of (number INTEGER PRIMARY KEY, media TEXT NOT NULL UNIQUE);
CREATE VIRTUAL TABLE IF NOT EXISTS {FTS} USING fts5 (words, media UNINDEXED, tokenize = "ascii tokenchars '='");
"""
FILLED = f"""
DELETE FROM {FTS};
DELETE FROM {FTS}_of;
INSERT INTO {FTS}_of (media) SELECT id FROM {TABLE} ORDER BY created;
INSERT INTO {FTS} (rowid, words, media) SELECT number, words, id FROM {FTS}_of JOIN {TABLE} ON id = media;
"""  # noqa: S608
# In triggers, REPLACE of an outer statement would reach inside; none is used on pictures.
KEPT = f"""
CREATE TRIGGER {FTS}_added AFTER INSERT ON {TABLE} BEGIN
  INSERT INTO {FTS}_of (media) VALUES (new.id);
  INSERT INTO {FTS} (rowid, words, media) SELECT number, new.words, new.id FROM {FTS}_of WHERE media = new.id;
END;
CREATE TRIGGER {FTS}_changed AFTER UPDATE OF words ON {TABLE} BEGIN
  UPDATE {FTS} SET words = new.words WHERE rowid = (SELECT number FROM {FTS}_of WHERE media = new.id);
END;
CREATE TRIGGER {FTS}_gone AFTER DELETE ON {TABLE} BEGIN
  DELETE FROM {FTS} WHERE rowid = (SELECT number FROM {FTS}_of WHERE media = old.id);
  DELETE FROM {FTS}_of WHERE media = old.id;
END;
"""  # noqa: S608


def keep_index(using: str = "default", **_facts: Any) -> None:
    """Makes what is missing of it. Does nothing on PostgreSQL, or while the pictures have no words yet."""
    connection = connections[using]
    if connection.vendor != "sqlite":
        return
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pragma_table_info(%s) WHERE name = 'words'", [TABLE])
        if not cursor.fetchone()[0]:
            return
        cursor.execute("SELECT count(*) FROM sqlite_master WHERE type = 'trigger' AND name LIKE %s", [f"{FTS}_%"])
        if cursor.fetchone()[0] == KEPT.count("CREATE TRIGGER"):
            return
        drops = "".join(f"DROP TRIGGER IF EXISTS {FTS}_{what};" for what in ("added", "changed", "gone"))
        for statement in _statements(drops + MADE + FILLED + KEPT):
            cursor.execute(statement)


def _statements(script: str) -> list[str]:
    """One by one: Python's executescript would commit first."""
    import sqlite3

    found, rest = [], ""
    for piece in script.split(";"):
        rest += piece + ";"
        if sqlite3.complete_statement(rest):
            found.append(rest.strip())
            rest = ""
    return [statement for statement in found if statement != ";"]
