"""Row locks, where the database has them: SQLite takes one lock on everything at BEGIN IMMEDIATE.

FOR NO KEY UPDATE: the plain kind would also stop whoever enters a job, since that checks its key to the account.
"""

from django.db import connection
from django.db.models import QuerySet


def locked(rows: QuerySet) -> QuerySet:
    """Waits for whoever holds these rows."""
    return rows.select_for_update(of=("self",), no_key=True) if connection.features.has_select_for_update else rows


def if_free(*tables: str) -> str:
    """Ends a question in plain SQL that locks the rows of these tables and leaves out what somebody else holds."""
    if connection.features.has_select_for_update_skip_locked:
        return f"FOR NO KEY UPDATE OF {', '.join(tables)} SKIP LOCKED"
    return ""
