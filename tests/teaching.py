"""What a team teaches, for the table of doors: something of bob's, its pictures, points and adapters."""

from io import BytesIO

from django.core.files.base import ContentFile
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse
from django.utils import timezone
from PIL import Image

from accounts.models import User
from accounts.roles import Action
from generator.catalogue import install_builtin
from generator.models import Adapter, Checkpoint, Training
from tests.doors import DONE, Door, act, page, thing

CHANGED = act(Action.MANAGE_JOBS, own=True)
DOORS: dict[str, Door] = {
    "generator:trainings": page(),
    "generator:new_training": act(Action.CREATE, outside=DONE),  # charlie's is his own team
    "generator:training": thing(),
    "generator:training_run": thing(),
    "generator:change_training": CHANGED,
    "generator:add_training_pictures": CHANGED,
    "generator:state_training_rights": CHANGED,
    "generator:start_training": CHANGED,
    "generator:pause_training": CHANGED,
    "generator:resume_training": CHANGED,
    "generator:stop_training": CHANGED,
    "generator:training_again": act(Action.CREATE),
    "generator:delete_training": CHANGED,
    "generator:choose_point": CHANGED,
    "generator:training_sample": thing(),
    "generator:change_training_picture": CHANGED,
    "generator:remove_training_picture": CHANGED,
    "generator:training_picture": thing(),
    "generator:retire_adapter": act(Action.CURATE, own=True),
}


def data(name: str) -> dict | None:
    """What a form sends; a file anew each time."""
    if name == "generator:add_training_pictures":
        return {"files": SimpleUploadedFile("a.png", _picture(), "image/png")}
    settings = {"name": "Our bottle", "noun": "bottle", "method": "lora"}
    return (
        {
            "generator:new_training": settings | {"checkpoint": _starter().pk},
            "generator:change_training": settings | {"checkpoint": _starter().pk},
            "generator:state_training_rights": {"rights": "own", "people": "nobody", "of": "all"},
            "generator:change_training_picture": {"caption": "a bottle"},
        }.get(name)
        if name in DOORS
        else None
    )


def _starter() -> Checkpoint:
    install_builtin()
    return Checkpoint.objects.get(slug="starter")


def _picture() -> bytes:
    buffer = BytesIO()
    Image.linear_gradient("L").convert("RGB").save(buffer, "PNG")
    return buffer.getvalue()


def address(name: str, bob: User, viewer: User | None) -> str | None:
    """Where `name` is for something of bob's; None for what is not of here."""
    if name not in DOORS:
        return None
    if name == "generator:trainings":
        return reverse(name)
    if name == "generator:new_training":
        return reverse(name, args=["subject"])
    facts = {"name": "Our bottle", "noun": "bottle", "word": "ourbottle", "checkpoint": _starter()}
    team = bob.teams.get(name="Studio")
    training = Training.objects.create(team=team, owner=bob, **facts)
    if name.endswith("_picture"):
        picture = training.pictures.create(name="a.png", width=256, height=256)
        picture.file.save("a.png", ContentFile(_picture()))
        return reverse(name, args=[picture.pk])
    if name in ("generator:training_run", "generator:training_sample"):
        Training.objects.filter(pk=training.pk).update(spec={"name": "x"}, steps=4, created=timezone.now())
    if name == "generator:training_sample":
        folder = training.run / "points" / "step-00000000"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "sample-0.png").write_bytes(_picture())
        return reverse(name, args=[training.pk, 0, "sample", 0])
    if name == "generator:choose_point":
        return reverse(name, args=[training.pk, 3])
    if name == "generator:retire_adapter":
        made = {"slug": "our-bottle", "name": "Our bottle", "source": "/b", "family": "starter", "licence_name": "MIT"}
        return reverse(name, args=[Adapter.objects.create(training=training, version=1, **made).slug])
    return reverse(name, args=[training.pk])
