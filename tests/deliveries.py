"""Exports and uploads for the table of doors, and for tests that need a whole one."""

from pathlib import Path

from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from accounts.models import Team, User
from accounts.roles import Role
from gallery import services
from gallery.export.spec import Wishes
from gallery.models import BrandFont, Channel, Export, Media

DATA: dict[str, dict] = {
    "gallery:set_colours": {"name": ["Sea"], "hex": ["#0088aa"]},
    "gallery:add_channel": {"name": "Tram", "width": "300", "height": "200", "format": "png", "quality": "80"}
    | dict.fromkeys(("safe_top", "safe_bottom", "safe_sides"), "0"),
}
OF_THE_TEAM = ("set_colours", "add_font", "add_channel")
OF_A_FONT = ("font", "remove_font")
NAMES = ("import", "import_one", "export", "start_export", "set_focus", "exports", "export_row", "export_file")
NAMES += ("export_sizes", "delete_export", "remove_channel", *OF_THE_TEAM, *OF_A_FONT)


def make_export(user: User, media: list[Media], *channels: str, **wishes) -> Export:
    """An export that is prepared already."""
    services.install_channels()
    found = Channel.objects.filter(team=None, slug__in=channels or ("whole",))
    wanted = Wishes(
        media=tuple(str(one.pk) for one in media), channels=tuple(found.values_list("pk", flat=True)), **wishes
    )
    export = services.create_export(user=user, team=media[0].team, wishes=wanted)
    services.drain_deliveries()
    export.refresh_from_db()
    return export


def address(name: str, bob: User, make_media, visibility: str) -> str | None:
    """Where `name` is for a thing of bob's that was made now; None for what is not of here."""
    short = name.removeprefix("gallery:")
    if name == short or short not in NAMES:
        return None
    DATA["gallery:add_font"] = {"file": font_file(), "licence": "OFL 1.1"}
    if short in ("exports", "import", *OF_THE_TEAM):
        return reverse(name)
    media = make_media(bob, visibility=visibility)
    if short == "remove_channel" or short in OF_A_FONT:
        return reverse(name, args=[_of_the_team(short, media.team).pk])
    if short == "import_one":
        return reverse(name, args=[services.begin_upload(user=bob, team=media.team, whose="own").pk])
    if short in ("export", "start_export", "set_focus", "export_sizes"):
        services.install_channels()
        channel = Channel.objects.get(slug="whole").pk
        DATA["gallery:export_sizes"] = {"media": str(media.pk), "channel": channel}
        DATA["gallery:start_export"] = {"media": str(media.pk), "channel": channel}
        DATA["gallery:set_focus"] = {"media": str(media.pk), "channel": channel, "x": "0.2", "y": "0.8"}
        DATA["gallery:export"] = {"media": str(media.pk)}
        return reverse(name)
    return reverse(name, args=[make_export(bob, [media]).pk])


def font_file() -> SimpleUploadedFile:
    """A typeface, as a browser sends it: the studio's own."""
    return SimpleUploadedFile("inter.woff2", Path("static/fonts/inter-latin.woff2").read_bytes(), "font/woff2")


def _of_the_team(short: str, team: Team) -> BrandFont | Channel:
    manager = User.objects.create_user("petra@example.com")
    team.memberships.create(user=manager, role=Role.MANAGER)
    if short in OF_A_FONT:
        return services.add_font(user=manager, team=team, file=font_file(), licence="OFL 1.1")
    return services.set_channel(user=manager, team=team, name="Tram", slug="tram", width=300, height=200)


def call(door: str, bob: User, make_media) -> tuple[str, dict] | None:
    """(address, what the test client sends) of a call of the API about a thing of bob's; None for others' calls."""
    path = door.split()[1]
    if path.endswith("/exports") and door.startswith("post"):
        media = make_media(bob)
        services.install_channels()
        return path, _json({"media": [str(media.pk)], "channels": ["whole"]})
    if "/exports/{pk}" in path:
        return path.format(pk=make_export(bob, [make_media(bob)]).pk), {}
    if path.endswith("/uploads"):
        return path, _json({"whose": "own"})
    if "/uploads/{pk}" not in path:
        return None
    upload = services.begin_upload(user=bob, team=make_media(bob).team, whose="own")
    file = services.add_file(user=bob, upload=upload, name="pear.png", size=4)
    if path.endswith("/finish"):
        services.add_piece(user=bob, file=file, offset=0, data=b"pear")
    address = path.format(pk=upload.pk, file=file.pk)
    if door.startswith("put"):
        return f"{address}?offset=0", {"data": b"pear", "content_type": "application/octet-stream"}
    return address, _json({"name": "plum.png", "size": 3} if path.endswith("/files") else {})


def _json(body: dict) -> dict:
    return {"data": body, "content_type": "application/json"}
