"""The people of the tests, one of each role in the team `studio`: alice owns it, mona manages, bob and carol create,
rita reviews, victor looks; charlie is an outsider."""

from collections.abc import Callable

import pytest
from django.test import Client
from PIL import Image

from accounts.models import Membership, Team, User
from accounts.roles import Role
from accounts.services import create_person
from gallery.models import Media
from gallery.services import NewMedia, add_media
from generator.catalogue import install_builtin
from generator.models import Batch, Checkpoint, Job
from generator.services import create_batch, create_generation, prepare

PASSWORD = "a rather long password"


def _person(name: str) -> User:
    return create_person(email=f"{name}@example.com", name=name.title(), password=PASSWORD)


@pytest.fixture
def studio(db) -> Team:
    """The team that alice, bob and victor are in."""
    return Team.objects.create(name="Studio")


@pytest.fixture
def alice(studio) -> User:
    """Owner of the studio."""
    return _joined("alice", studio, Role.OWNER)


@pytest.fixture
def bob(studio) -> User:
    """Creator in the studio."""
    return _joined("bob", studio, Role.CREATOR)


@pytest.fixture
def mona(studio) -> User:
    """Manager of the studio."""
    return _joined("mona", studio, Role.MANAGER)


@pytest.fixture
def carol(studio) -> User:
    """Another creator in the studio."""
    return _joined("carol", studio, Role.CREATOR)


@pytest.fixture
def rita(studio) -> User:
    """Reviewer in the studio."""
    return _joined("rita", studio, Role.REVIEWER)


@pytest.fixture
def victor(studio) -> User:
    """Viewer in the studio."""
    return _joined("victor", studio, Role.VIEWER)


@pytest.fixture
def charlie(db) -> User:
    """An outsider with a team of his own only."""
    return _person("charlie")


@pytest.fixture
def everybody(alice, mona, bob, carol, rita, victor, charlie) -> dict[str | None, User | None]:
    """All of them by name, and None, who is not signed in."""
    found = {"alice": alice, "mona": mona, "bob": bob, "carol": carol, "rita": rita, "victor": victor}
    return {**found, "charlie": charlie, None: None}


def _joined(name: str, team: Team, role: Role) -> User:
    user = _person(name)
    Membership.objects.create(team=team, user=user, role=role)
    return user


@pytest.fixture
def as_(studio) -> Callable[[User | None], Client]:
    """`as_(user)`: a client signed in as that person, working in the studio if they are in it; None: anonymous."""

    def client_of(user: User | None) -> Client:
        client = Client()
        if user:
            client.force_login(user, backend="allauth.account.auth_backends.AuthenticationBackend")
            if Membership.objects.filter(user=user, team=studio).exists():
                session = client.session
                session["team"] = str(studio.pk)
                session.save()
        return client

    return client_of


@pytest.fixture
def checkpoint(db) -> Checkpoint:
    """The starter's row."""
    install_builtin()
    return Checkpoint.objects.get(slug="starter")


@pytest.fixture
def make_job(checkpoint, studio) -> Callable[..., Job]:
    """`make_job(user, **settings)`: a job of that person in the studio, waiting."""

    def make(user: User, *, team: Team | None = None, **changes) -> Job:
        asked = {"prompt": "a red apple, 3d icon", "count": 1, "steps": 4, "seed": 7, **changes}
        return create_generation(user=user, team=team or studio, checkpoint=checkpoint, **asked)

    return make


@pytest.fixture
def make_batch(checkpoint, studio) -> Callable[..., Batch]:
    """`make_batch(user, prompts=3)`: a batch of that person in the studio."""

    def make(user: User, prompts: int = 3, visibility: str = "team", count: int = 1) -> Batch:
        wanted = [prepare(checkpoint=checkpoint, prompt=f"a shoe {n}", count=count, steps=2) for n in range(prompts)]
        return create_batch(
            user=user, team=studio, name="Shoes", origin="table", generations=wanted, visibility=visibility
        )

    return make


@pytest.fixture
def make_media(studio) -> Callable[..., Media]:
    """`make_media(user, **changes)`: a small picture of that person in the studio, with a filmstrip of three frames."""

    def make(user: User, *, team: Team | None = None, visibility: str = "team", **recipe) -> Media:
        facts = {"prompt": "a red apple", "checkpoint": "Starter", "seed": 7, "steps": 4, "guidance": 4.0, **recipe}
        picture = Image.new("RGB", (64, 64), "#c22")
        item = NewMedia(
            image=picture,
            frames=[Image.new("RGB", (64, 64), shade) for shade in ("#888", "#a55", "#c22")],
            recipe={"format": "square", "scheduler": "dpmpp_2m", "style": "", **facts},
            team=team or studio,
            owner=user,
            visibility=visibility,
        )
        return add_media(items=[item])[0]

    return make
