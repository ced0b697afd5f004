"""Lending on a training's page: who has what came of it, to whom it goes, and back."""

import pytest

from accounts.models import Membership, Team
from accounts.roles import Role
from generator.models import Adapter, Checkpoint, Training

pytestmark = pytest.mark.django_db


@pytest.fixture
def taught(make_training, bob, studio) -> Training:
    training = make_training(bob)
    Training.objects.filter(pk=training.pk).update(spec={"name": "x"}, steps=4, step=4)
    adapter = _made(Adapter, training)
    adapter.teams.set([studio])
    training.refresh_from_db()
    return training


def _made(kind, training, **changes):
    facts = {"slug": "our-bottle", "name": "Our bottle", "source": "/b", "family": "starter", "licence_name": "MIT"}
    return kind.objects.create(training=training, version=1, point=4, **facts | changes)


@pytest.fixture
def shop(mona) -> Team:
    """Another team, in which mona makes pictures."""
    team = Team.objects.create(name="Shop")
    Membership.objects.create(user=mona, team=team, role=Role.CREATOR)
    return team


def _lend(client, team, on: str = "1", slug: str = "our-bottle"):
    return client.post(f"/train/adapters/{slug}/lend/", {"team": team, "on": on}, follow=True)


def test_it_is_lent_and_taken_back(as_, taught, mona, shop):
    client, address = as_(mona), f"/train/{taught.pk}/"
    page = client.get(address).content.decode()
    assert f'<option value="{shop.pk}">Shop</option>' in page
    answer = _lend(client, shop.pk)
    assert "can be chosen in Shop now" in answer.content.decode()
    assert shop in taught.adapters.get().teams.all()
    page = client.get(address).content.decode()
    assert "Take version 1 back from Shop" in page
    assert f'<option value="{shop.pk}">' not in page
    answer = _lend(client, shop.pk, "0")
    assert "is taken back from Shop" in answer.content.decode()
    assert shop not in taught.adapters.get().teams.all()
    assert "does not have it any more" in _lend(client, "", "0").content.decode()


def test_only_to_a_team_of_ones_own(as_, taught, mona, shop, charlie):
    client = as_(mona)
    for team in (charlie.personal_team.pk, "nonsense", ""):
        assert "Choose a team in which you make pictures." in _lend(client, team).content.decode()
    assert "It belongs to this team." in _lend(client, taught.team_id).content.decode()
    assert taught.adapters.get().teams.count() == 1


@pytest.mark.parametrize(("who", "status"), [("bob", 403), ("victor", 403), ("charlie", 404)])
def test_who_does_not_curate_lends_nothing_and_learns_no_names(request, as_, taught, shop, who, status):
    taught.adapters.get().teams.add(shop)
    user = request.getfixturevalue(who)
    client = as_(user)
    for on in ("1", "0"):
        assert _lend(client, shop.pk, on).status_code == status
    assert shop in taught.adapters.get().teams.all()
    if status == 403:
        page = client.get(f"/train/{taught.pk}/").content.decode()
        assert "and 1 other team" in page
        assert "Shop" not in page
        assert "Take back" not in page


def test_who_borrows_is_told_by_whom(as_, taught, shop, victor):
    taught.adapters.get().teams.add(shop)
    Membership.objects.create(user=victor, team=shop, role=Role.CREATOR)
    page = as_(victor).get(f"/train/{taught.pk}/").content.decode()
    assert "Shop" in page  # a team of theirs
    client = as_(victor)
    client.post("/team/switch/", {"team": str(shop.pk)})
    page = client.get("/train/").content.decode()
    assert "Lent to Shop" in page
    assert "by Studio" in page
    Adapter.objects.update(is_enabled=False)
    assert "Lent to Shop" not in client.get("/train/").content.decode()


def test_a_model_from_scratch_is_lent_too(as_, taught, mona, shop):
    Training.objects.filter(pk=taught.pk).update(kind="scratch", method="scratch")
    model = _made(Checkpoint, taught, slug="discs", name="Discs")
    model.teams.set([taught.team])
    assert "can be chosen in Shop now" in _lend(as_(mona), shop.pk, slug="discs").content.decode()
    assert shop in model.teams.all()
