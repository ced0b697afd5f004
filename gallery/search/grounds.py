"""What a viewer may look through, as a few sets that each have an index in every order.

One condition with ORs, as visible_to has it, cannot be read in order from any index: of a million pictures it would
look at all. So a page asks each ground for its first few and merges them. The grounds are those of MediaQuerySet: there
is no second truth of who sees what.
"""

from uuid import UUID

from django.db.models import QuerySet

from accounts.models import Team, User
from accounts.roles import Action
from gallery.models import Media
from gallery.models.album import AlbumItem
from gallery.search.form import Tab


def grounds(viewer: User, tab: str, team: UUID | None = None) -> list[QuerySet[Media]]:
    """Sets of pictures, perhaps with some in common, together all that `viewer` sees in `tab`; large ones first.

    `team`: the one of Tab.TEAM.
    """
    if not (viewer.is_authenticated and viewer.is_active):
        return []
    teams = sorted(Team.objects.pks_where(viewer, Action.VIEW))
    seen = Media.objects.grounds(viewer, teams)
    kept = Media.objects.kept()
    if tab == Tab.MINE:
        return [kept.filter(seen["own"])]
    if tab == Tab.SHARED:
        return [kept.filter(seen["album"], pk__in=_shared_with(viewer))]
    published = kept.filter(seen["published"])
    if tab == Tab.PUBLISHED:
        return [published]
    private = kept.filter(seen["own"], visibility=Media.Visibility.PRIVATE)  # one's others are one's teams', too
    by_team = {pk: kept.filter(seen["team"], team=pk) for pk in teams}
    if tab == Tab.TEAM:
        return [by_team[team], private.filter(team=team)] if team in by_team else []
    return [*by_team.values(), private, published, kept.filter(seen["album"])]


def _shared_with(viewer: User) -> QuerySet:
    """What stands in albums that one was made a member of."""
    albums = list(viewer.album_memberships.values_list("album", flat=True))
    return AlbumItem.objects.order_by().filter(album__in=albums).values("media")
