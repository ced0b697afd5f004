"""Trainings as people may see and change them, and as administrators read them."""

import pytest
from django.contrib.auth.models import AnonymousUser
from django.utils import timezone

from accounts.models import User
from generator.models import Adapter, Training


@pytest.mark.parametrize(
    ("who", "sees", "changes"),
    [
        ("alice", True, True),
        ("mona", True, True),
        ("bob", True, True),
        ("carol", True, False),
        ("rita", True, False),
        ("victor", True, False),
        ("charlie", False, False),
    ],
)
def test_a_team_sees_what_is_taught_and_its_maker_or_a_manager_changes_it(
    request, make_training, bob, who, sees, changes
):
    training = make_training(bob)
    user = request.getfixturevalue(who)
    assert Training.objects.visible_to(user).filter(pk=training.pk).exists() == sees
    assert Training.objects.changeable_by(user).filter(pk=training.pk).exists() == changes


def test_strangers_see_none(make_training, bob):
    make_training(bob)
    assert not Training.objects.visible_to(AnonymousUser()).exists()
    assert not Training.objects.changeable_by(AnonymousUser()).exists()


def test_administrators_read_who_stated_the_rights_and_what_has_learned(client, make_training, bob):
    training = make_training(bob)
    training.pictures.create(name="front.jpg", rights="client", stated_by=bob, stated=timezone.now(), people="consent")
    taught = Adapter.objects.create(
        slug="b", name="Our bottle", source="/b", family="starter", training=training, version=3, licence_name="MIT"
    )
    client.force_login(User.objects.create_superuser("root@example.com", "a rather long password"))
    page = client.get(f"/admin/generator/training/{training.pk}/change/").content.decode()
    for words in ("front.jpg", "A client gave it to us", "Everybody in it has consented", "Bob", "Our bottle (3)"):
        assert words in page
    assert "Our bottle" in client.get("/admin/generator/training/").content.decode()
    assert "Our bottle" in client.get(f"/admin/generator/adapter/{taught.pk}/change/").content.decode()
    assert client.post(f"/admin/generator/training/{training.pk}/change/", {"name": "x"}).status_code == 403
