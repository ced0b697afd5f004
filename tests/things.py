"""What people do with pictures, for the table of doors: bob's albums, words, reviews and links, and their addresses."""

from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse
from PIL import Image

from accounts.models import Team, User
from accounts.roles import Role
from gallery import services
from gallery.models import Album, AlbumMember, Comment, Media, Notice, Review

PLAIN = (
    "gallery:save_search",
    "gallery:albums",
    "gallery:create_album",
    "gallery:review",
    "gallery:links",
    "gallery:notices",
    "gallery:bell",
    "gallery:read_notices",
    "gallery:prefer_notices",
    "gallery:activity",
    "gallery:standards",
    "gallery:set_policy",
    "gallery:set_brand",
)
OF_MEDIA = (
    "gallery:comments",
    "gallery:comment",
    "gallery:rate",
    "gallery:title",
    "gallery:tags",
    "gallery:choose_album",
    "gallery:ask_review",
    "gallery:share_media",
)
DATA: dict[str, dict] = {
    "gallery:save_search": {"name": "Shoes", "query": "q=shoe"},
    "gallery:change_search": {"name": "Boots"},
    "gallery:comment": {"text": "Good"},
    "gallery:edit_comment": {"text": "Better"},
    "gallery:rate": {"stars": "3"},
    "gallery:tags": {"tags": "spring"},
    "gallery:ask_review": {"role": "owner"},
    "gallery:share_media": {"days": "7"},
    "gallery:share_album": {"days": "7"},
    "gallery:empty_trash": {"sure": "1"},
    "gallery:many_visibility": {"visibility": "private"},
    "gallery:many_review": {"role": "owner"},
    "gallery:create_album": {"name": "Spring", "visibility": "team"},
    "gallery:change_album": {"name": "Summer", "visibility": "team"},
    "gallery:share_album_with": {"email": "victor@example.com", "right": "view"},
    "gallery:decide": {"verdict": "approved"},
    "gallery:set_policy": {"approvals": "2"},
    "gallery:set_brand": {"name": "Studio & Co"},
}


def logo() -> SimpleUploadedFile:
    """A small picture, as a browser sends it."""
    from io import BytesIO

    data = BytesIO()
    Image.new("RGBA", (32, 16), "#f80").save(data, "PNG")
    return SimpleUploadedFile("logo.png", data.getvalue(), "image/png")


def address(name: str, bob: User, make_media, visibility: str) -> str | None:
    """Where `name` is for a thing of bob's that was made now; None for what is not of here."""
    if name in PLAIN:
        return reverse(name)
    if name in OF_MEDIA:
        return reverse(name, args=[make_media(bob, visibility=visibility).pk])
    make = _MAKERS.get(name.removeprefix("gallery:")) if name.startswith("gallery:") else None
    return make(name, bob, make_media, visibility) if make else None


def _comment(name: str, bob: User, make_media, visibility: str) -> str:
    media = make_media(bob, visibility=visibility)
    return reverse(name, args=[services.add_comment(user=bob, media=media, text="Hm").pk])


def _album(bob: User, make_media, visibility: str) -> tuple[Album, Media]:
    media = make_media(bob, visibility=visibility)
    album = services.create_album(user=bob, team=media.team, name="Spring", visibility=visibility, media=[media.pk])
    return album, media


def _of_album(name: str, bob: User, make_media, visibility: str) -> str:
    album, media = _album(bob, make_media, visibility)
    DATA["gallery:move_in_album"] = {"media": str(media.pk)}
    if name in ("gallery:remove_from_album", "gallery:set_cover"):
        return reverse(name, args=[album.pk, media.pk])
    if name == "gallery:unshare_album":
        victor = User.objects.filter(email="victor@example.com").first() or _victor(album.team)
        member = AlbumMember.objects.create(album=album, user=victor)
        return reverse(name, args=[album.pk, member.pk])
    User.objects.filter(email="victor@example.com").exists() or _victor(album.team)
    return reverse(name, args=[album.pk])


def _victor(team: Team) -> User:
    user = User.objects.create_user("victor@example.com", name="Victor")
    team.memberships.create(user=user, role=Role.VIEWER)
    return user


def _review(name: str, bob: User, make_media, visibility: str) -> str:
    media = make_media(bob, visibility=visibility)
    _owner(media.team)
    review: Review = services.ask_review(user=bob, media=media, role=Role.OWNER)
    return reverse(name, args=[review.pk])


def _owner(team: Team) -> None:
    if not team.memberships.filter(role=Role.OWNER).exists():
        team.memberships.create(user=User.objects.create_user("olga@example.com"), role=Role.OWNER)


def _link(name: str, bob: User, make_media, visibility: str) -> str:
    media = make_media(bob, visibility=visibility)
    link, token = services.make_link(user=bob, media=media)
    if name == "gallery:revoke_link":
        return reverse(name, args=[link.pk])
    _brand(media.team)
    if name == "gallery:shared_file":
        return reverse(name, args=[token, media.pk, "view"])
    return reverse(name, args=[token])


def _brand(team: Team) -> None:
    owner = User.objects.create_user("paula@example.com")
    team.memberships.create(user=owner, role=Role.OWNER)
    services.set_brand(user=owner, team=team, name="Studio & Co", logo=logo())


def _notice(name: str, bob: User, make_media, visibility: str) -> str:
    media = make_media(bob, visibility=visibility)
    speaker = User.objects.create_user("sara@example.com", name="Sara")
    media.team.memberships.create(user=speaker, role=Role.REVIEWER)
    comment: Comment = services.add_comment(user=speaker, media=media, text="Well")
    return reverse(name, args=[Notice.objects.get(user=bob, activity__comment=comment).pk])


def _saved_search(name: str, bob: User, make_media, visibility: str) -> str:
    team, is_shared = make_media(bob).team, visibility != Media.Visibility.PRIVATE
    saved = services.save_search(user=bob, team=team, name="Shoes", query="tab=mine&q=shoe", is_shared=is_shared)
    if name == "gallery:restore_search":
        services.delete_search(user=bob, saved=saved)
    return reverse(name, args=[saved.pk])


def _logo(name: str, bob: User, make_media, visibility: str) -> str:
    _brand(make_media(bob, visibility=visibility).team)
    return reverse(name)


_MAKERS = {
    **dict.fromkeys(("edit_comment", "delete_comment", "resolve_comment"), _comment),
    **dict.fromkeys(
        (
            "album",
            "change_album",
            "delete_album",
            "move_in_album",
            "share_album_with",
            "unshare_album",
            "share_album",
            "remove_from_album",
            "set_cover",
        ),
        _of_album,
    ),
    **dict.fromkeys(("decide", "withdraw_review"), _review),
    **dict.fromkeys(("revoke_link", "shared", "shared_logo", "shared_file"), _link),
    **dict.fromkeys(("change_search", "delete_search", "restore_search"), _saved_search),
    "follow_notice": _notice,
    "logo": _logo,
}


BODIES: dict[str, dict] = {
    "patch media": {"title": "Spring"},
    "put stars": {"stars": 3},
    "post comments": {"text": "Good", "x": 0.5, "y": 0.25},
    "patch comments": {"text": "Better"},
    "post reviews": {"role": "owner"},
    "post decisions": {"verdict": "approved"},
    "post albums": {"name": "Spring"},
    "patch albums": {"name": "Summer"},
    "post members": {"email": "victor@example.com", "right": "comment"},
}


def call(door: str, bob: User, make_media, visibility: str = "team") -> tuple[str, dict] | None:
    """(address, what the test client sends) of a call of the API about a thing of bob's; None for others' calls."""
    method, path = door.split()
    kind, *rest = [part for part in path.removeprefix("/api/v1/").split("/") if not part.startswith("{")]
    if kind not in ("media", "albums", "comments", "reviews") or (method == "get" and "{" not in path):
        return None
    album, media = _album(bob, make_media, visibility)
    team = media.team
    body = BODIES.get(f"{method} {rest[0] if rest else kind}", {})
    if (method, kind, rest) == ("post", "albums", []):
        body = {**body, "team": str(team.pk)}
    if rest and rest[0] in ("pictures", "order", "cover"):
        body = {"media": [str(media.pk)] if rest[0] == "pictures" else str(media.pk)}
    if rest == ["restore"]:
        services.trash_media(user=bob, media=media)
    found: Album | Media | Comment | Review = album if kind == "albums" else media
    if kind == "comments":
        found = services.add_comment(user=bob, media=media, text="Hm")
    victor = None
    if rest == ["members"]:
        victor = User.objects.filter(email="victor@example.com").first() or _victor(team)
        if "{person}" in path:
            AlbumMember.objects.create(album=album, user=victor)
    if "reviews" in (kind, *rest) and visibility != "private":
        _owner(team)
        if kind == "reviews":
            found = services.ask_review(user=bob, media=media, role=Role.OWNER)
    address = path.format(pk=found.pk, media=media.pk, person=victor.pk if victor else 0)
    return address, {} if method == "get" else {"data": body, "content_type": "application/json"}
