"""Keeping pictures: files and rows together, trash, likes, visibility."""

from datetime import timedelta
from uuid import uuid4

import pytest
from django.core.exceptions import PermissionDenied
from django.utils import timezone
from PIL import Image

from gallery import services
from gallery.models import Like, Media


def _files(settings) -> list:
    return [path for path in settings.MEDIA_ROOT.rglob("*") if path.is_file()]


def test_what_fails_after_the_files_were_written_leaves_nothing(make_media, alice, studio, settings):
    make_media(alice)
    item = services.NewMedia(image=Image.new("RGB", (8, 8)), recipe={}, team=studio, owner=alice)
    before = _files(settings)

    def refuse() -> None:
        raise RuntimeError("no")

    with pytest.raises(RuntimeError):
        services.add_media(items=[item, item], then=refuse)
    assert _files(settings) == before
    assert Media.objects.count() == 1


def test_a_picture_knows_its_way_and_what_it_was_made_from(make_media, alice, studio):
    origin = make_media(alice)
    made = {"image": Image.new("RGB", (8, 8)), "recipe": {"way": "inpaint"}, "team": studio, "owner": alice}
    kept, orphan = services.add_media(
        items=[
            services.NewMedia(**made, made_from=origin.pk),
            services.NewMedia(**made, made_from=uuid4()),  # deleted for good while the picture was made
        ]
    )
    assert (origin.way, kept.way, kept.made_from, orphan.made_from) == ("text", "inpaint", origin, None)
    assert list(origin.made.all()) == [kept]
    origin.delete()
    kept.refresh_from_db()
    assert kept.made_from is None


@pytest.mark.parametrize(("person", "allowed"), [("alice", True), ("bob", True), ("victor", False), ("charlie", False)])
@pytest.mark.parametrize("verb", ["trash_media", "set_visibility"])
def test_who_may_change_bobs_picture(person, allowed, verb, request, make_media, bob):
    media = make_media(bob)
    user = request.getfixturevalue(person)
    extra = {"visibility": "private"} if verb == "set_visibility" else {}
    if allowed:
        getattr(services, verb)(user=user, media=media, **extra)
    else:
        with pytest.raises(PermissionDenied):
            getattr(services, verb)(user=user, media=media, **extra)


def test_trash_and_back(make_media, alice):
    media = make_media(alice)
    services.trash_media(user=alice, media=media)
    assert not Media.objects.kept().exists()
    services.restore_media(user=alice, media=media)
    assert Media.objects.kept().exists()


def test_the_trash_is_emptied_after_its_retention_with_all_files(
    make_media, alice, settings, django_capture_on_commit_callbacks
):
    old, young = make_media(alice), make_media(alice)
    for media in (old, young):
        services.trash_media(user=alice, media=media)
    Media.objects.filter(pk=old.pk).update(deleted=timezone.now() - timedelta(days=settings.TRASH_RETENTION_DAYS + 1))
    with django_capture_on_commit_callbacks(execute=True):
        assert services.purge_trash() == 1
    assert Media.objects.get() == young
    assert len(_files(settings)) == 3


def test_likes_are_ones_own_and_need_a_picture_that_one_sees(make_media, alice, bob, charlie):
    media = make_media(alice)
    for _twice in range(2):
        services.like_media(user=bob, media=media, liked=True)
    assert Like.objects.count() == 1
    services.like_media(user=bob, media=media, liked=False)
    assert not Like.objects.exists()
    with pytest.raises(PermissionDenied):
        services.like_media(user=charlie, media=media, liked=True)


@pytest.mark.parametrize(
    ("visibility", "seers"),
    [
        ("private", {"alice"}),
        ("team", {"alice", "bob", "victor"}),
        ("published", {"alice", "bob", "victor", "charlie"}),
    ],
)
def test_visibility(visibility, seers, request, make_media, alice):
    media = make_media(alice, visibility=visibility)
    seen = {
        name
        for name in ("alice", "bob", "victor", "charlie")
        if Media.objects.visible_to(request.getfixturevalue(name)).filter(pk=media.pk).exists()
    }
    assert seen == seers
