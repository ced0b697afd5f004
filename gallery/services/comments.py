"""Comments, ratings, titles and tags."""

import re
from collections.abc import Iterable

from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.models import User
from accounts.permissions import can
from accounts.roles import Action, roles_for
from gallery.models import Activity, Comment, Media, Rating, Tag, Verb
from gallery.services.activity import record
from gallery.services.finding import count_opinions, index_words
from gallery.services.refused import Refused

MOST_TAGS = 20
LONGEST_TAG = 40


@transaction.atomic
def add_comment(
    *,
    user: User,
    media: Media,
    text: str,
    x: float | None = None,
    y: float | None = None,
    parent: Comment | None = None,
) -> Comment:
    """Says something about a picture, at a point of it (`x`, `y`: shares of width and height) or in answer to `parent`.

    Tells the picture's owner, those who spoke in the thread, and whoever is named with an @.
    """
    _check_commentable(user, media)
    text = text.strip()
    if not text:
        raise Refused(_("Write something first."))
    if parent is not None:
        if parent.media_id != media.pk:
            raise PermissionDenied
        parent, x, y = parent.parent or parent, None, None  # threads are one level deep
    comment = Comment.objects.create(media=media, author=user, text=text, x=x, y=y, parent=parent)
    named = mentioned_in(text, media)
    comment.mentions.set(named)
    record(
        team=media.team,
        actor=user,
        verb=Verb.REPLIED if parent else Verb.COMMENTED,
        media=media,
        comment=comment,
        text=text,
        tell=_concerned(media, parent),
        mentioned=named,
    )
    return comment


def _concerned(media: Media, parent: Comment | None) -> Iterable[User]:
    people = Q(pk=media.owner_id)
    if parent:
        people |= Q(pk=parent.author_id) | Q(comments__parent=parent, comments__deleted=None)
    return User.objects.filter(people, is_active=True).distinct()


def people_to_mention(media: Media) -> list[User]:
    """Who can see the picture by their team or one of its albums: those one may name."""
    in_team = Q(memberships__team=media.team_id, memberships__role__in=roles_for(Action.VIEW))
    people = User.objects.filter(is_active=True)
    if media.visibility == Media.Visibility.PRIVATE:
        return list(people.filter(in_team, media=media))
    return list(people.filter(in_team | Q(album_memberships__album__items__media=media)).distinct())


def mentioned_in(text: str, media: Media) -> list[User]:
    """The people whom `text` names as @Name, with the full name or the address; the longest name that fits counts."""
    if "@" not in text:
        return []
    names = [(name, user) for user in people_to_mention(media) for name in {str(user), user.email} if name]
    found: dict[int, User] = {}
    rest = text
    for name, user in sorted(names, key=lambda pair: -len(pair[0])):
        rest, times = re.subn(rf"@{re.escape(name)}(?!\w)", " ", rest, flags=re.IGNORECASE)
        if times:
            found[user.pk] = user
    return list(found.values())


@transaction.atomic
def edit_comment(*, user: User, comment: Comment, text: str) -> None:
    """Changes one's own words; the page says that they were. Whoever is named now and was not before is told."""
    _check_own(user, comment)
    if not (text := text.strip()):
        raise Refused(_("Write something first."))
    before = set(comment.mentions.values_list("pk", flat=True))
    named = mentioned_in(text, comment.media)
    comment.text, comment.edited = text, timezone.now()
    comment.save(update_fields=["text", "edited"])
    comment.mentions.set(named)
    if new := [person for person in named if person.pk not in before]:
        media = comment.media
        record(team=media.team, actor=user, verb=Verb.COMMENTED, media=media, comment=comment, text=text, mentioned=new)


@transaction.atomic
def delete_comment(*, user: User, comment: Comment) -> None:
    """Takes one's own words back, or as a curator anybody's, wherever they were told. Answers to them stay."""
    _check_commentable(user, comment.media)
    if comment.author_id != user.pk and not can(user, Action.CURATE, comment.media.team_id):
        raise PermissionDenied
    Comment.objects.filter(pk=comment.pk).update(deleted=timezone.now(), text="", x=None, y=None)
    comment.mentions.clear()
    Activity.objects.filter(comment=comment).update(text="")


def resolve_comment(*, user: User, comment: Comment, resolved: bool = True) -> None:
    """Marks a thread as dealt with, or opens it again: for all who may comment."""
    _check_commentable(user, comment.media)
    if comment.parent_id:
        raise PermissionDenied
    Comment.objects.filter(pk=comment.pk).update(resolved=timezone.now() if resolved else None)


@transaction.atomic
def rate_media(*, user: User, media: Media, stars: int) -> None:
    """Gives a picture 1-5 stars; 0 takes one's own back. ValueError for another number."""
    _check_commentable(user, media)
    if not 0 <= stars <= 5:
        raise ValueError(f"{stars} stars")
    if stars:
        Rating.objects.update_or_create(media=media, user=user, defaults={"stars": stars})
    else:
        Rating.objects.filter(media=media, user=user).delete()
    count_opinions(pictures=Media.objects.filter(pk=media.pk))


@transaction.atomic
def set_title(*, user: User, media: Media, title: str) -> None:
    """Names a picture; an empty title leaves it to its prompt."""
    if not Media.objects.editable_by(user).filter(pk=media.pk).update(title=title.strip()[:200]):
        raise PermissionDenied
    media.title = title.strip()[:200]
    index_words(media=media)


@transaction.atomic
def set_tags(*, user: User, media: Media, words: Iterable[str]) -> list[str]:
    """Replaces the picture's tags by `words`, in small letters, each once. Tags that no picture has any more go."""
    _check_commentable(user, media)
    if not can(user, Action.COMMENT, media.team_id):
        raise PermissionDenied  # a guest of an album does not sort the team's pictures
    names = tag_names(words)
    if len(names) > MOST_TAGS:
        raise Refused(_("A picture can have at most %(n)d tags.") % {"n": MOST_TAGS})
    media.tags.set([Tag.objects.get_or_create(team=media.team, name=name)[0] for name in names])
    Tag.objects.filter(team=media.team, pictures=None).delete()
    index_words(media=media)
    return names


def tag_names(words: Iterable[str]) -> list[str]:
    """The words as tags are written: in small letters, each once. Refused for one that is too long."""
    names = list(dict.fromkeys(name for word in words if (name := " ".join(word.lower().split()).lstrip("#"))))
    if long := next((name for name in names if len(name) > LONGEST_TAG), None):
        raise Refused(_("“%(tag)s…” is too long for a tag.") % {"tag": long[:LONGEST_TAG]})
    return names


def _check_commentable(user: User, media: Media) -> None:
    if not Media.objects.commentable_by(user).filter(pk=media.pk).exists():
        raise PermissionDenied


def _check_own(user: User, comment: Comment) -> None:
    _check_commentable(user, comment.media)
    if comment.author_id != user.pk or comment.deleted:
        raise PermissionDenied
