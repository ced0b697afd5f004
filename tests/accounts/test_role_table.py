"""The role × action table: shown in the documentation as it is, and the same for SQL as for `can()`."""

import re
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from accounts.models import Membership, Team, User
from accounts.permissions import can
from accounts.roles import ALLOWED, Action, Role
from gallery import services
from gallery.models import Album, AlbumMember, Media

DOC = Path(__file__).parents[2] / "docs" / "roles.md"


def table() -> str:
    """The table as Markdown."""
    lines = ["| | " + " | ".join(str(role.label) for role in Role) + " |", "|---|" + ":-:|" * len(Role)]
    for action in Action:
        cells = ["✓" if action in ALLOWED[role] else "" for role in Role]
        lines.append(f"| {action.label} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def test_the_documentation_shows_the_table_as_it_is():
    shown = "\n".join(re.findall(r"^\|.*\|$", DOC.read_text(), re.MULTILINE))
    assert shown == table(), f"docs/roles.md should have this table:\n\n{table()}\n"


teams = st.integers(0, 2)
people = st.integers(0, 3)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    memberships=st.dictionaries(st.tuples(teams, people), st.sampled_from(Role), max_size=8),
    media=st.lists(st.tuples(teams, people, st.sampled_from(Media.Visibility)), max_size=6),
    guests=st.lists(st.tuples(teams, people, st.sampled_from(AlbumMember.Right)), max_size=3),
    inactive=st.sets(people, max_size=1),
)
@pytest.mark.django_db(transaction=False)
def test_what_lists_show_is_what_single_questions_allow(db, memberships, media, guests, inactive):
    """A model of the rules in plain Python, against the SQL, on random teams."""
    from django.db import transaction

    with transaction.atomic():
        _compare(memberships, media, guests, inactive)
        transaction.set_rollback(True)


def _compare(memberships, media, guests, inactive) -> None:
    groups = [Team.objects.create(name=f"Team {n}") for n in range(3)]
    users = [User.objects.create_user(f"p{n}@example.com", is_active=n not in inactive) for n in range(4)]
    for (team, person), role in memberships.items():
        Membership.objects.create(team=groups[team], user=users[person], role=role)
    albums = [Album.objects.create(team=team, owner=None, name=str(team)) for team in groups]
    rows = [
        Media.objects.create(team=groups[team], owner=users[person], visibility=visibility, width=1, height=1, bytes=1)
        for team, person, visibility in media
    ]
    for row in rows:
        albums[groups.index(row.team)].items.create(media=row)
    rights = {}
    for team, person, right in guests:
        AlbumMember.objects.update_or_create(album=albums[team], user=users[person], defaults={"right": right})
        rights[team, person] = right

    for p, user in enumerate(users):
        for t, team in enumerate(groups):
            role = memberships.get((t, p))
            for action in Action:
                expected = p not in inactive and role is not None and action in ALLOWED[role]
                assert can(user, action, team) is expected
                assert (team in Team.objects.where(user, action)) is expected
        seen, changed = set(Media.objects.visible_to(user)), set(Media.objects.editable_by(user))
        spoken = set(Media.objects.commentable_by(user))
        for row in rows:
            t = groups.index(row.team)
            own = row.owner_id == user.pk
            is_private = row.visibility == Media.Visibility.PRIVATE
            looks = can(user, Action.VIEW, row.team)
            guest = rights.get((t, p)) if p not in inactive else None
            sees = (looks and (own or not is_private)) or (guest is not None and not is_private)
            sees = p not in inactive and (sees or row.visibility == Media.Visibility.PUBLISHED)
            assert (row in seen) is sees
            by_role = can(user, Action.COMMENT, row.team)
            by_album = guest in (AlbumMember.Right.COMMENT, AlbumMember.Right.EDIT)
            assert (row in spoken) is (sees and (by_role or by_album))
            may = (own and can(user, Action.CREATE, row.team)) or (
                can(user, Action.CURATE, row.team) and not is_private
            )
            assert (row in changed) is may


def test_nobody_grants_a_right_that_is_none(alice, bob, studio):
    album = services.create_album(user=alice, team=studio, name="Spring")
    with pytest.raises(ValueError, match="owner"):
        services.share_album(user=alice, album=album, email=bob.email, right="owner")
