"""A gallery with as many rows as wanted and three people who look: one sees all, one every thousandth, one ten."""

import random
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

SUBJECTS = (
    "a ceramic coffee cup on a linen tablecloth", "a running shoe above wet asphalt", "a mountain hut at first light",
    "a bottle of elderflower lemonade in the snow", "a red armchair in an empty hall", "a market stall full of citrus",
    "a lighthouse behind dunes", "a paper boat on a mirror", "two cyclists in the rain", "a glass house among ferns",
    "a wooden toy train", "a baker who dusts a loaf with flour",
)  # fmt: skip
MODELS = ("Starter", "SDXL base", "FLUX schnell", "House style")
STYLES = ("", "Product photo", "Flat illustration", "3D icon", "Lifestyle")
WAYS = ("text", "text", "text", "image", "inpaint", "upscale", "vary")
SIZES = ((512, 512), (1024, 1024), (832, 1216), (1216, 832), (2048, 1024), (640, 1536))
COLOURS = ("white grey", "blue teal white", "red", "green brown", "black orange", "pink", "yellow white", "purple blue")
STATES = ("", "", "", "", "asked", "approved", "changes", "rejected")
TEMPLATES = 840
EVERY = 1000  # the second viewer sees one row of so many
GUEST = 10  # pictures of the third
VIEWERS = {"all": "all", "thousandth": "few", "ten": "ten"}
TEAMS = ("House", "Small", "Guest's")


@dataclass(frozen=True)
class House:
    """The three viewers by name, the tabs that each looks at, and what is looked for."""

    viewers: dict[str, Any]
    team: Any
    small: Any

    @property
    def tabs(self) -> dict[str, list[tuple[str, Any]]]:
        """(tab, team) by viewer."""
        return {
            "all": [("team", self.team.pk), ("mine", None), ("all", None)],
            "thousandth": [("team", self.small.pk), ("all", None)],
            "ten": [("shared", None), ("all", None)],
        }

    @property
    def archive(self) -> Any:
        """The id of an album with 2,000 pictures."""
        from gallery.models import Album

        return Album.objects.get(team=self.team, name="Archive").pk


def open_house() -> House:
    """People, teams and pictures to copy, in an empty, migrated database."""
    from django.utils import timezone

    from accounts.models import Membership, Team, User
    from gallery.models import Media

    makers = [User.objects.create(email=f"maker{n}@example.com", name=f"Maker {n}", password="!") for n in range(5)]
    for name in VIEWERS.values():
        User.objects.create(email=f"{name}@example.com", name=name, password="!")
    for name in TEAMS:
        Team.objects.create(name=name)
    house = find()
    makers.append(house.viewers["all"])
    members = [(house.team, user) for user in makers]
    members += [(house.small, house.viewers["thousandth"]), (Team.objects.get(name=TEAMS[2]), house.viewers["ten"])]
    for team, user in members:
        Membership.objects.create(team=team, user=user, role="owner")
    templates = [_template(n, house.team, makers, timezone.now() - timedelta(seconds=n)) for n in range(TEMPLATES)]
    Media.objects.bulk_create(templates)
    return house


def grow(house: House, rows: int, tell: Callable[[int], None] = lambda done: None) -> None:
    """Up to `rows` rows; ten of the oldest are in an album of the third viewer."""
    from django.db import connection

    from gallery.models import Album, AlbumItem, AlbumMember, Media, indexing
    from generator.demo import metadata

    is_postgres = connection.vendor == "postgresql"
    if is_postgres:  # indexes are built at the end, in a tenth of the time
        with connection.cursor() as cursor:
            cursor.execute("SET maintenance_work_mem = '512MB'; SET synchronous_commit = off")
            cursor.execute(
                "SELECT set_config('session_replication_role', 'replica', false) FROM pg_roles "
                "WHERE rolname = current_user AND rolsuper"
            )  # keys are right as they are made
        with connection.schema_editor() as editor:
            for index in indexing.INDEXES:
                editor.remove_index(Media, index)
            editor.execute("DROP INDEX media_words")
    small, team = (f"'{one.pk}'::uuid" if is_postgres else f"'{one.pk.hex}'" for one in (house.small, house.team))
    in_small = f"CASE WHEN n %% {EVERY} = 7 THEN {small} ELSE {team} END"
    seen = "CASE WHEN n %% 50 = 3 THEN 'private' ELSE 'team' END"
    metadata.fill(house.team, rows, tell, team_id=in_small, visibility=seen)
    if is_postgres:
        with connection.schema_editor() as editor:
            for index in indexing.INDEXES:
                editor.add_index(Media, index)
            editor.execute("CREATE INDEX media_words ON gallery_media USING gin (words) WITH (fastupdate = off)")
        with connection.cursor() as cursor:
            cursor.execute("RESET maintenance_work_mem; RESET synchronous_commit")
            cursor.execute(
                "SELECT set_config('session_replication_role', 'origin', false) FROM pg_roles "
                "WHERE rolname = current_user AND rolsuper"
            )
    album, _is_new = Album.objects.get_or_create(team=house.team, name="For a guest")
    AlbumMember.objects.get_or_create(album=album, user=house.viewers["ten"])
    album.items.all().delete()
    shown = Media.objects.filter(team=house.team, visibility="team").order_by("created")[: GUEST * 100 : 100]
    AlbumItem.objects.bulk_create(AlbumItem(album=album, media=media) for media in shown)
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE" if is_postgres else "ANALYZE")


def find() -> House:
    """The one that is there already."""
    from accounts.models import Team, User

    people = {name: User.objects.get(email=f"{email}@example.com") for name, email in VIEWERS.items()}
    return House(people, Team.objects.get(name=TEAMS[0]), Team.objects.get(name=TEAMS[1]))


def _template(number: int, team: Any, makers: list[Any], created: Any) -> Any:
    from gallery.models import Media

    dice = random.Random(number)
    width, height = dice.choice(SIZES)
    prompt = f"{dice.choice(SUBJECTS)}, soft shadows, 85mm lens, high detail, studio light, clean background"
    recipe = {"prompt": prompt, "checkpoint": dice.choice(MODELS), "steps": 30, "guidance": 6.5}
    if number % 12 == 0:
        recipe["adapters"] = [{"name": f"product-{dice.randrange(5)}", "weight": 0.8}]
    return Media(
        id=uuid.uuid4(), team=team, owner=makers[number % len(makers)], created=created, file="template.png",
        width=width, height=height, bytes=1_400_000, sha256="", prompt=prompt, checkpoint=recipe["checkpoint"],
        style=dice.choice(STYLES), way=dice.choice(WAYS), format="square", scheduler="dpmpp_2m", seed=number * 7919,
        steps=30, guidance=6.5, recipe=recipe, review_state=dice.choice(STATES), colours=dice.choice(COLOURS),
        job=uuid.uuid4(),
    )  # fmt: skip
