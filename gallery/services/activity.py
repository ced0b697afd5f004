"""Writing down what happened, and telling whom it concerns: in the page at once, by letter later."""

from collections.abc import Iterable

from django.db import transaction
from django.utils import timezone

from accounts.live import album_group, publish, team_group, user_group
from accounts.models import Team, User
from gallery.models import Activity, Album, AlbumMember, Comment, Media, Notice, NoticePreferences, Verb

EXCERPT = 200
# What a person may choose not to hear of.
MUTABLE = (
    Verb.COMMENTED,
    Verb.REPLIED,
    Verb.MENTIONED,
    Verb.REVIEW_ASKED,
    Verb.APPROVED,
    Verb.CHANGES_WANTED,
    Verb.REJECTED,
    Verb.ALBUM_SHARED,
)


def record(
    *,
    team: Team,
    actor: User,
    verb: Verb,
    media: Media | None = None,
    album: Album | None = None,
    comment: Comment | None = None,
    text: str = "",
    tell: Iterable[User] = (),
    mentioned: Iterable[User] = (),
) -> Activity:
    """One line in the history of a team, a picture, an album; `tell` and `mentioned` get a notice each, once.

    Nobody is told of what they did themselves, of what they have muted, or of a picture that they cannot see.
    """
    activity = Activity.objects.create(
        team=team, actor=actor, verb=verb, media=media, album=album, comment=comment, text=text[:EXCERPT]
    )
    wanted: dict[int, tuple[User, Verb]] = {user.pk: (user, verb) for user in tell}
    wanted |= {user.pk: (user, Verb.MENTIONED) for user in mentioned}
    wanted.pop(actor.pk, None)
    muted = dict(NoticePreferences.objects.filter(user__in=wanted).values_list("user", "muted"))
    notices = [
        Notice(user=user, activity=activity, verb=kind)
        for user, kind in wanted.values()
        if kind not in muted.get(user.pk, ()) and _sees(user, activity)
    ]
    Notice.objects.bulk_create(notices)
    told = [notice.user_id for notice in notices]
    transaction.on_commit(lambda: _publish(activity, told))
    return activity


def _sees(user: User, activity: Activity) -> bool:
    if activity.media_id and not Media.objects.visible_to(user).filter(pk=activity.media_id).exists():
        return False
    return not activity.album_id or Album.objects.visible_to(user).filter(pk=activity.album_id).exists()


def _publish(activity: Activity, told: list[int]) -> None:
    publish([team_group(activity.team_id)], {"type": "activity.added", "team": str(activity.team_id)})
    if told:
        publish([user_group(pk) for pk in told], {"type": "notice.added", "id": str(activity.pk)})
    if activity.media_id and activity.media and activity.media.visibility != Media.Visibility.PRIVATE:
        event = {"type": "media.talked", "media": str(activity.media_id), "verb": activity.verb}
        shown_in = AlbumMember.objects.filter(album__items__media=activity.media_id).values_list("album", flat=True)
        albums = [album_group(pk) for pk in shown_in.distinct()]
        publish([team_group(activity.team_id), *(user_group(pk) for pk in told), *albums], event)


def read_notices(*, user: User, upto: Notice | None = None) -> int:
    """Marks one's notices as read: all of them, or only `upto` that one. Returns how many there were."""
    unread = Notice.objects.unread().filter(user=user)
    if upto is not None:
        unread = unread.filter(pk=upto.pk)
    return unread.update(read=timezone.now())


def prefer_notices(*, user: User, letters: str, muted: Iterable[str]) -> NoticePreferences:
    """Remembers how one wants to hear of things. ValueError for a word that is none."""
    wanted = sorted({str(Verb(verb)) for verb in muted})
    values = {"letters": NoticePreferences.Letters(letters), "muted": wanted}
    return NoticePreferences.objects.update_or_create(user=user, defaults=values)[0]
