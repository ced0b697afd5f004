"""Saved searches: kept, shared, renamed, deleted and brought back."""

from datetime import timedelta

from django.core.exceptions import PermissionDenied
from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.models import Team, User
from accounts.permissions import can
from accounts.roles import Action
from gallery.models import SavedSearch
from gallery.services.refused import Refused

MOST = 50  # of one person in one team: what a menu can still show
UNDONE_WITHIN = timedelta(days=1)  # a page with an Undo may stay open for a while


def save_search(*, user: User, team: Team, name: str, query: str, is_shared: bool = False) -> SavedSearch:
    """Keeps `query` under `name`; one's own search of that name is replaced. To share takes the right to organise."""
    if not can(user, Action.ORGANISE if is_shared else Action.VIEW, team):
        raise PermissionDenied
    own = SavedSearch.objects.kept().filter(team=team, owner=user)
    with transaction.atomic():
        if not own.filter(name=name).exists() and own.count() >= MOST:
            raise Refused(_("You keep %(most)d searches already. Delete one first.") % {"most": MOST})
        wanted = {"query": query, "is_shared": is_shared}
        return own.update_or_create(team=team, owner=user, name=name, deleted=None, defaults=wanted)[0]


def change_search(*, user: User, saved: SavedSearch, name: str, is_shared: bool) -> None:
    """Another name, or another reach. Only who may organise can begin to share."""
    begins = is_shared and not saved.is_shared
    if begins and not can(user, Action.ORGANISE, saved.team_id):
        raise PermissionDenied
    _set(user, saved, name=name, is_shared=is_shared)


def delete_search(*, user: User, saved: SavedSearch) -> None:
    """Out of the list; for a day it can come back."""
    _set(user, saved, deleted=timezone.now())


def restore_search(*, user: User, saved: SavedSearch) -> None:
    """Back in the list."""
    _set(user, saved, deleted=None)


def purge_searches() -> int:
    """Deletes for good what nobody can undo any more. Returns how many went."""
    return SavedSearch.objects.filter(deleted__lt=timezone.now() - UNDONE_WITHIN).delete()[0]


def _set(user: User, saved: SavedSearch, **fields: object) -> None:
    try:
        with transaction.atomic():
            if not SavedSearch.objects.editable_by(user).filter(pk=saved.pk).update(**fields):
                raise PermissionDenied
    except IntegrityError as error:
        name = fields.get("name", saved.name)
        raise Refused(_("Another saved search is called “%(name)s”. Choose another name.") % {"name": name}) from error
