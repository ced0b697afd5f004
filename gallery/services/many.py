"""What people do with many pictures at once: one transaction each, and a count of what stayed as it was, and why."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import partial
from uuid import UUID

from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import Count
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.models import Team, User
from accounts.roles import Action
from gallery.models import Album, Like, Media, Tag
from gallery.models.media import MediaQuerySet
from gallery.services import pictures
from gallery.services.albums import add_to_album
from gallery.services.comments import MOST_TAGS, tag_names
from gallery.services.finding import count_opinions, index_words_of
from gallery.services.refused import Refused
from gallery.services.reviews import ask_review

MOST = 1000  # pictures at once
MOST_REVIEWS = 100  # each is a person's work
MOST_EMPTIED = 5000  # pictures of a trash that one request deletes


@dataclass
class Outcome:
    """What came of a wish about `asked` pictures: which are as wanted now, and how many are not, by the reason."""

    asked: int
    changed: list[UUID] = field(default_factory=list)
    spared: Counter[str] = field(default_factory=Counter)

    def spare_rest(self, reason: str) -> "Outcome":
        """All that is neither changed nor spared yet is spared for `reason`."""
        if rest := self.asked - len(self.changed) - self.spared.total():
            self.spared[reason] += rest
        return self


def trash_many(*, user: User, media: Iterable[UUID]) -> Outcome:
    """Into the trash."""
    ids = _bounded(media)
    return _set(user, ids, editable(user).kept(), "media.removed", deleted=timezone.now())


def restore_many(*, user: User, media: Iterable[UUID]) -> Outcome:
    """Back from the trash."""
    return _set(user, _bounded(media), editable(user).trashed(), "media.changed", deleted=None)


def set_visibility_many(*, user: User, media: Iterable[UUID], visibility: str) -> Outcome:
    """Who may see them from now on. ValueError for a word that is none."""
    wanted = Media.Visibility(visibility)
    return _set(user, _bounded(media), editable(user).kept(), "media.changed", visibility=wanted)


def editable(user: User) -> MediaQuerySet:
    """What `user` may change; administrators all of it."""
    return Media.objects.all() if user.is_superuser else Media.objects.editable_by(user)


@transaction.atomic
def _set(user: User, ids: list[UUID], rows: MediaQuerySet, event: str, **fields: object) -> Outcome:
    found = list(rows.filter(pk__in=ids).values_list("pk", "team", "visibility"))
    changed = [pk for pk, _team, _visibility in found]
    Media.objects.filter(pk__in=changed).update(**fields)
    told: dict[tuple[UUID, str], list[UUID]] = {}
    for pk, team, visibility in found:
        if visibility != Media.Visibility.PRIVATE:
            told.setdefault((team, event), []).append(pk)
        elif "visibility" in fields:
            told.setdefault((team, "media.added"), []).append(pk)
    for (team_id, kind), pks in told.items():
        transaction.on_commit(partial(pictures.tell_team, team_id, kind, pks))
    return Outcome(len(ids), changed).spare_rest(_("not yours to change"))


@transaction.atomic
def like_many(*, user: User, media: Iterable[UUID], liked: bool = True) -> Outcome:
    """Sets or takes back one's likes."""
    ids = _bounded(media)
    seen = list(Media.objects.visible_to(user).filter(pk__in=ids).values_list("pk", flat=True))
    if liked:
        Like.objects.bulk_create([Like(media_id=pk, user=user) for pk in seen], ignore_conflicts=True)
    else:
        Like.objects.filter(user=user, media__in=seen).delete()
    count_opinions(pictures=Media.objects.filter(pk__in=seen))
    return Outcome(len(ids), seen).spare_rest(_gone())


@transaction.atomic
def tag_many(*, user: User, media: Iterable[UUID], words: Iterable[str]) -> Outcome:
    """Adds tags to each; those it has stay. Refused for a tag that is too long, or for none."""
    ids, names = _bounded(media), tag_names(words)
    if not names:
        raise Refused(_("Write a tag first."))
    teams = Team.objects.where(user, Action.COMMENT)
    sortable = Media.objects.commentable_by(user).kept().filter(pk__in=ids, team__in=teams.values("pk"))
    done = Outcome(len(ids))
    rows = dict(sortable.values_list("pk", "team"))
    through = Tag.pictures.through.objects
    has = set(through.filter(media__in=rows, tag__name__in=names).values_list("media", "tag__name"))
    counts = dict(Media.objects.filter(pk__in=rows).annotate(n=Count("tags")).values_list("pk", "n"))
    tags = {team: [_tag(team, name) for name in names] for team in sorted(set(rows.values()))}
    new = []
    for pk, team in rows.items():
        missing = [tag for tag in tags[team] if (pk, tag.name) not in has]
        if counts[pk] + len(missing) > MOST_TAGS:
            done.spared[_("would have more than %(n)d tags") % {"n": MOST_TAGS}] += 1
            continue
        new += [Tag.pictures.through(media_id=pk, tag_id=tag.pk) for tag in missing]
        done.changed.append(pk)
    through.bulk_create(new, ignore_conflicts=True)
    index_words_of(ids=done.changed)
    Tag.objects.filter(team__in=tags, pictures=None).delete()
    return done.spare_rest(_("not yours to sort"))


def _tag(team: UUID, name: str) -> Tag:
    return Tag.objects.get_or_create(team_id=team, name=name)[0]


@transaction.atomic
def add_many_to_album(*, user: User, album: Album, media: Iterable[UUID]) -> Outcome:
    """Puts pictures at the end of an album; those that stand in it stay. Pictures of other teams are left out."""
    ids = _bounded(media)
    teams = dict(Media.objects.visible_to(user).kept().filter(pk__in=ids).values_list("pk", "team"))
    fitting = [pk for pk in ids if teams.get(pk) == album.team_id]
    done = Outcome(len(ids), fitting)
    if foreign := sum(team != album.team_id for team in teams.values()):
        done.spared[_("of another team than the album")] += foreign
    if fitting:
        add_to_album(user=user, album=album, media=fitting)
    elif not Album.objects.editable_by(user).filter(pk=album.pk).exists():
        raise PermissionDenied
    return done.spare_rest(_gone())


@transaction.atomic
def ask_review_many(
    *, user: User, media: Iterable[UUID], reviewers: Iterable[User] = (), role: str = "", note: str = ""
) -> Outcome:
    """Asks for a review of each, as for one picture; what that refuses is left out for the same reason."""
    ids, people = _bounded(media, MOST_REVIEWS), list(reviewers)
    done = Outcome(len(ids))
    for found in Media.objects.visible_to(user).kept().filter(pk__in=ids).select_related("team").order_by("created"):
        try:
            ask_review(user=user, media=found, reviewers=people, role=role, note=note)
            done.changed.append(found.pk)
        except Refused as refusal:
            done.spared[str(refusal)] += 1
        except PermissionDenied:
            done.spared[_("not yours to ask for, or not theirs to decide")] += 1
    return done.spare_rest(_gone())


def purge_many(*, user: User, media: Iterable[UUID]) -> Outcome:
    """Deletes pictures for good that are in the trash and that `user` may change. Their files follow."""
    ids = _bounded(media)
    gone = pictures.purge(editable(user).trashed().filter(pk__in=ids))
    return Outcome(len(ids), gone).spare_rest(_("not yours to delete"))


def empty_trash(*, user: User) -> int:
    """Deletes for good all that `user` finds in the trash, at most MOST_EMPTIED. Returns how many pictures went."""
    gone = 0
    while gone < MOST_EMPTIED:
        found = pictures.purge(Media.objects.editable_by(user).trashed().order_by("deleted")[:MOST])
        gone += len(found)
        if not found:
            break
    return gone


def _bounded(media: Iterable[UUID], most: int = MOST) -> list[UUID]:
    ids = list(dict.fromkeys(media))
    if not ids:
        raise Refused(_("Choose pictures first."))
    if len(ids) > most:
        raise Refused(_("At most %(n)d pictures at once: choose fewer.") % {"n": most})
    return ids


def _gone() -> str:
    return _("not there any more")
