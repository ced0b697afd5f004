"""Questions put into SQL once: answered as a queryset would, for whoever asks, as things are at that moment."""

from datetime import date, timedelta
from threading import Thread
from uuid import UUID, uuid4

import pytest
from django.db import connection

from accounts.models import Membership, Team, Usage, User
from accounts.prepared import Prepared
from accounts.roles import Action
from gallery.models import Media


def test_as_the_queryset_itself_for_everyone(alice, bob, charlie, make_media):
    def build(user: User, pk: UUID):
        return Media.objects.visible_to(user).filter(pk=pk).select_related("owner", "team")

    prepared = Prepared(build, user=User, pk=UUID)
    pictures = [make_media(bob), make_media(bob, visibility="private"), make_media(charlie, visibility="published")]
    for user in (alice, bob, charlie):
        for picture in pictures:
            assert prepared.rows(user=user, pk=picture.pk) == list(build(user, picture.pk))
    told = prepared.first(user=bob, pk=pictures[0].pk)
    assert (told.owner, told.team, told.prompt) == (bob, pictures[0].team, pictures[0].prompt)
    assert prepared.first(user=bob, pk=uuid4()) is None


def test_what_has_changed_is_told_at_once(bob, studio):
    prepared = Prepared(lambda user: Team.objects.where(user, Action.VIEW).order_by("name"), user=User)
    assert studio in prepared.rows(user=bob)
    Membership.objects.filter(user=bob, team=studio).delete()
    assert studio not in prepared.rows(user=bob)


def test_it_is_written_once(bob, alice, django_assert_num_queries):
    built = []

    def build(user: User):
        built.append(user)
        return Membership.objects.filter(user=user).values_list("team", flat=True)

    prepared = Prepared(build, user=User)
    with django_assert_num_queries(2):
        assert {*prepared.rows(user=alice)} != {*prepared.rows(user=bob)}
    assert len(built) == 1


def test_days_and_words(bob, studio):
    today = date(2026, 2, 28)
    for day, pictures in ((today, 3), (today - timedelta(days=1), 5)):
        Usage.objects.create(user=bob, team=studio, day=day, pictures=pictures)
    of_day = Prepared(
        lambda day, name: Usage.objects.filter(day=day, team__name=name).values_list("pictures", flat=True),
        day=date,
        name=str,
    )
    assert of_day.rows(day=today, name="Studio") == [3]
    assert of_day.rows(day=today, name="' OR 1=1 --") == []


def test_a_value_that_is_no_parameter_is_a_mistake_of_ours(db):
    looks_at_it = Prepared(lambda user: Team.objects.filter(name="Studio" if user.is_active else ""), user=User)
    with pytest.raises(ValueError, match="user"):
        looks_at_it.rows(user=User(pk=1))


@pytest.mark.django_db(transaction=True)
def test_each_thread_has_its_own():
    team = Team.objects.create(name="Studio")
    prepared = Prepared(lambda pk: Team.objects.filter(pk=pk), pk=UUID)
    found = []

    def ask() -> None:
        found.extend(prepared.rows(pk=team.pk))
        connection.close()

    ask()
    thread = Thread(target=ask)
    thread.start()
    thread.join()
    assert found == [team, team]
