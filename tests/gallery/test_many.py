"""What people do with many pictures at once: whose change, what stays, what is said, how much work it is."""

import json
from uuid import uuid4

import pytest
from django.core.exceptions import PermissionDenied
from django.urls import reverse

from accounts.models import User
from gallery import services
from gallery.models import Like, Media, Review, Tag
from gallery.services import many, pictures

HTMX = {"HX-Request": "true"}


@pytest.fixture
def mixed(make_media, bob, carol, charlie) -> dict[str, Media]:
    """One picture of each kind, by its name."""
    return {
        "bobs": make_media(bob),
        "bobs_private": make_media(bob, visibility="private"),
        "carols": make_media(carol),
        "charlies": make_media(charlie, team=charlie.teams.first()),
        "published": make_media(carol, visibility="published"),
    }


def _ids(mixed) -> list:
    return [media.pk for media in mixed.values()]


def _changed(outcome, mixed) -> set[str]:
    return {name for name, media in mixed.items() if media.pk in outcome.changed}


@pytest.mark.parametrize(
    ("who", "own"),
    [
        ("alice", {"bobs", "carols", "published"}),
        ("bob", {"bobs", "bobs_private"}),
        ("carol", {"carols", "published"}),
        ("victor", set()),
        ("charlie", {"charlies"}),
    ],
)
@pytest.mark.parametrize("verb", ["trash", "restore", "set_visibility", "purge"])
def test_whose_pictures_change(request, alice, victor, mixed, who, own, verb):
    user = request.getfixturevalue(who)
    if verb in ("restore", "purge"):
        Media.objects.update(deleted=many.timezone.now())
    extra = {"visibility": "published"} if verb == "set_visibility" else {}
    outcome = getattr(services, f"{verb}_many")(user=user, media=_ids(mixed), **extra)
    assert _changed(outcome, mixed) == own
    assert outcome.asked == 5
    assert outcome.spared.total() == 5 - len(own)
    now = {
        "trash": {m.pk for m in Media.objects.trashed()},
        "restore": {m.pk for m in Media.objects.kept()},
        "purge": set(_ids(mixed)) - {m.pk for m in Media.objects.all()},
        "set_visibility": {m.pk for m in Media.objects.filter(visibility="published")} - {mixed["published"].pk},
    }[verb]
    assert now == {mixed[name].pk for name in own} - ({mixed["published"].pk} if verb == "set_visibility" else set())


@pytest.mark.parametrize(
    ("who", "seen"),
    [
        ("alice", {"bobs", "carols", "published"}),
        ("bob", {"bobs", "bobs_private", "carols", "published"}),
        ("victor", {"bobs", "carols", "published"}),
        ("charlie", {"charlies", "published"}),
    ],
)
def test_likes_are_for_what_one_sees(request, alice, victor, mixed, who, seen):
    user = request.getfixturevalue(who)
    for _twice in range(2):
        assert _changed(services.like_many(user=user, media=_ids(mixed)), mixed) == seen
    assert Like.objects.filter(user=user).count() == len(seen)
    services.like_many(user=user, media=_ids(mixed), liked=False)
    assert not Like.objects.exists()


@pytest.mark.parametrize(
    ("who", "sorted_"),
    [
        ("alice", {"bobs", "carols", "published"}),
        ("bob", {"bobs", "bobs_private", "carols", "published"}),
        ("victor", set()),
        ("charlie", {"charlies"}),
    ],
)
def test_tags_are_added_where_ones_role_sorts(request, alice, victor, mixed, who, sorted_):
    services.set_tags(user=mixed["bobs"].owner, media=mixed["bobs"], words=["old"])
    user = request.getfixturevalue(who)
    outcome = services.tag_many(user=user, media=_ids(mixed), words=["#Spring", "old"])
    assert _changed(outcome, mixed) == sorted_
    for name, media in mixed.items():
        words = {"spring", "old"} if name in sorted_ else ({"old"} if name == "bobs" else set())
        assert set(media.tags.values_list("name", flat=True)) == words
    assert Tag.objects.count() == Tag.objects.exclude(pictures=None).distinct().count()


def test_a_picture_full_of_tags_is_left_out_and_counted(make_media, bob):
    full, free = make_media(bob), make_media(bob)
    services.set_tags(user=bob, media=full, words=[f"tag {n}" for n in range(20)])
    outcome = services.tag_many(user=bob, media=[full.pk, free.pk], words=["one more"])
    assert outcome.changed == [free.pk]
    assert full.tags.count() == 20
    with pytest.raises(services.Refused):
        services.tag_many(user=bob, media=[free.pk], words=[" ", "#"])
    with pytest.raises(services.Refused):
        services.tag_many(user=bob, media=[free.pk], words=["x" * 41])


def test_an_album_takes_what_is_of_its_team(mixed, bob, alice, victor, charlie, studio):
    album = services.create_album(user=bob, team=studio, name="Spring")
    outcome = services.add_many_to_album(user=bob, album=album, media=[*_ids(mixed), uuid4()])
    assert _changed(outcome, mixed) == {"bobs", "bobs_private", "carols", "published"}
    assert outcome.spared.total() == 2
    assert album.items.count() == 4
    for outsider in (victor, charlie):
        with pytest.raises(PermissionDenied):
            services.add_many_to_album(user=outsider, album=album, media=_ids(mixed))
    assert album.items.count() == 4


def test_reviews_are_asked_for_one_by_one_and_refused_for_a_reason(mixed, alice, bob, victor, charlie):
    services.ask_review(user=bob, media=mixed["carols"], role="owner")
    outcome = services.ask_review_many(user=bob, media=_ids(mixed), role="owner")
    assert _changed(outcome, mixed) == {"bobs", "published"}
    assert len(outcome.spared) == 3  # private, under way already, not there for him
    assert Review.objects.count() == 3
    assert services.ask_review_many(user=victor, media=_ids(mixed), role="owner").changed == []
    assert services.ask_review_many(user=charlie, media=[mixed["bobs"].pk], role="owner").changed == []


def test_there_is_a_limit_and_nothing_is_no_choice(bob):
    for media in ([], [uuid4() for _n in range(many.MOST + 1)]):
        with pytest.raises(services.Refused):
            services.trash_many(user=bob, media=media)
    with pytest.raises(services.Refused):
        services.ask_review_many(user=bob, media=[uuid4() for _n in range(many.MOST_REVIEWS + 1)], role="owner")


def test_the_work_does_not_grow_with_the_pictures(make_media, bob, studio, django_assert_max_num_queries):
    ids = [make_media(bob).pk for _n in range(12)]
    with django_assert_max_num_queries(6):
        services.trash_many(user=bob, media=ids)
    with django_assert_max_num_queries(6):
        services.restore_many(user=bob, media=ids)
    with django_assert_max_num_queries(20):
        services.tag_many(user=bob, media=ids, words=["spring", "shoe"])
    with django_assert_max_num_queries(7):
        services.like_many(user=bob, media=ids)


def test_teams_are_told_once_each(mixed, alice, monkeypatch, django_capture_on_commit_callbacks):
    told = []
    monkeypatch.setattr(pictures, "publish", lambda groups, event: told.append((groups, event)))
    with django_capture_on_commit_callbacks(execute=True):
        services.trash_many(user=alice, media=_ids(mixed))
    ((_groups, event),) = told
    assert event["type"] == "media.removed"
    assert set(event["media"]) == {str(mixed[name].pk) for name in ("bobs", "carols", "published")}


def test_what_becomes_the_teams_is_told_as_new(make_media, bob, monkeypatch, django_capture_on_commit_callbacks):
    told = []
    monkeypatch.setattr(pictures, "publish", lambda groups, event: told.append(event["type"]))
    one, two = make_media(bob, visibility="private"), make_media(bob, visibility="private")
    with django_capture_on_commit_callbacks(execute=True):
        services.set_visibility(user=bob, media=one, visibility="team")
        services.set_visibility_many(user=bob, media=[one.pk, two.pk], visibility="published")
    assert sorted(told) == ["media.added", "media.added", "media.changed"]


def test_emptying_deletes_what_is_ones_own_to_delete(mixed, bob, settings, django_capture_on_commit_callbacks):
    Media.objects.update(deleted=many.timezone.now())
    kept = [mixed[name] for name in ("carols", "charlies", "published")]
    with django_capture_on_commit_callbacks(execute=True):
        assert services.empty_trash(user=bob) == 2
    assert set(Media.objects.all()) == set(kept)
    assert len([path for path in settings.MEDIA_ROOT.rglob("*") if path.is_file()]) == 3 * len(kept)
    assert services.empty_trash(user=bob) == 0


def test_only_what_is_in_the_trash_can_go_for_good(make_media, bob):
    media = make_media(bob)
    assert services.purge_many(user=bob, media=[media.pk]).changed == []
    assert Media.objects.filter(pk=media.pk).exists()


# --- Pages ---


def _post(client, verb: str, media, **more):
    data = {"ids": ",".join(str(m.pk) for m in media), **more}
    return client.post(reverse(f"gallery:many_{verb}"), data, headers=HTMX)


def test_the_answer_says_how_many_and_why_and_offers_an_undo(as_, mixed, bob):
    response = _post(as_(bob), "trash", mixed.values())
    page = response.content.decode()
    assert "2 pictures moved to the trash." in page
    assert "3 of 5 stay as they are: not yours to change." in page
    told = json.loads(response["HX-Trigger"])["atelier:many"]
    assert told["verb"] == "trash"
    assert set(told["media"]) == {str(mixed["bobs"].pk), str(mixed["bobs_private"].pk)}
    assert reverse("gallery:many_restore") in page
    undone = _post(as_(bob), "restore", [mixed["bobs"], mixed["bobs_private"]])
    assert "2 pictures are back." in undone.content.decode()
    assert Media.objects.kept().count() == 5


def test_without_scripts_ticked_pictures_are_sent_one_by_one(as_, make_media, bob):
    ids = [str(make_media(bob).pk) for _n in range(3)]
    response = as_(bob).post(reverse("gallery:many_trash"), {"media": ids}, follow=True)
    assert "3 pictures moved to the trash." in response.content.decode()
    page = as_(bob).get(reverse("gallery:many_album"), {"media": ids}).content.decode()
    assert ",".join(ids) in page


@pytest.mark.parametrize(
    ("verb", "more", "said"),
    [
        ("like", {"liked": "1"}, "You like 2 pictures."),
        ("visibility", {"visibility": "published"}, "2 pictures changed."),
        ("tag", {"tags": "spring, shoe"}, "2 pictures have the tags now."),
        ("album", {"name": "Spring"}, "2 pictures stand in “Spring”."),
        ("review", {"role": "owner"}, "Reviews of 2 pictures were asked for."),
    ],
)
def test_what_is_said(as_, alice, bob, make_media, verb, more, said):
    assert said in _post(as_(bob), verb, [make_media(bob), make_media(bob)], **more).content.decode()


@pytest.mark.parametrize(
    ("verb", "more", "status"),
    [("like", {}, 400), ("visibility", {"visibility": "all"}, 400), ("trash", {"ids": "rubbish"}, 400)],
)
def test_nonsense_is_refused(as_, bob, verb, more, status):
    assert as_(bob).post(reverse(f"gallery:many_{verb}"), more, headers=HTMX).status_code == status


def test_an_album_must_be_named(as_, bob, make_media):
    assert "Choose an album" in _post(as_(bob), "album", [make_media(bob)]).content.decode()


def test_deleting_for_good_asks_first(as_, bob, make_media):
    media = make_media(bob)
    services.trash_media(user=bob, media=media)
    asked = _post(as_(bob), "purge", [media]).content.decode()
    assert "Delete 1 picture for good?" in asked
    assert 'name="sure"' in asked
    assert Media.objects.exists()
    assert "1 picture is gone for good." in _post(as_(bob), "purge", [media], sure="1").content.decode()
    assert not Media.objects.exists()


def test_emptying_asks_first(as_, bob, make_media):
    services.trash_media(user=bob, media=make_media(bob))
    client = as_(bob)
    assert "Delete the 1 picture" in client.post(reverse("gallery:empty_trash"), headers=HTMX).content.decode()
    response = client.post(reverse("gallery:empty_trash"), {"sure": "1"}, headers=HTMX)
    assert response["HX-Redirect"] == reverse("gallery:trash")
    assert not Media.objects.exists()


def test_the_trash_says_how_long_each_stays(as_, bob, make_media):
    services.trash_media(user=bob, media=make_media(bob))
    assert "29 days left" in as_(bob).get(reverse("gallery:trash")).content.decode()


def test_an_administrator_may_change_everything(mixed, db):
    admin = User.objects.create_superuser("root@example.com", "a rather long password")
    assert len(services.trash_many(user=admin, media=_ids(mixed)).changed) == 5
