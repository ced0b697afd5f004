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
from generator.models import Adapter, Checkpoint, Training, TrainingPicture
from generator.services import trainings
from tests.doors import DONE, Door, act, page, thing

SPEC = {"name": "Our bottle", "word": "ourbottle", "noun": "bottle", "family": "starter"}
POINT = {"step": 3, "validation": 0.1, "likeness": 0.5, "nearest": 99, "drift": 0.1, "samples": 0, "others": 0}
CHANGED = act(Action.MANAGE_JOBS, own=True)
DOORS: dict[str, Door] = {
    "generator:trainings": page(),
    "generator:new_training": act(Action.CREATE, outside=DONE),  # charlie's is his own team
    "generator:new_scratch": page(),
    "generator:training": thing(),
    "generator:training_run": thing(),
    "generator:change_training": CHANGED,
    "generator:add_training_pictures": CHANGED,
    "generator:training_gallery": Door(needs=Action.MANAGE_JOBS, own=True),
    "generator:take_training_pictures": CHANGED,
    "generator:state_training_rights": CHANGED,
    "generator:start_training": CHANGED,
    "generator:pause_training": CHANGED,
    "generator:resume_training": CHANGED,
    "generator:stop_training": CHANGED,
    "generator:training_again": act(Action.CREATE),
    "generator:delete_training": CHANGED,
    "generator:choose_point": CHANGED,
    "generator:training_sample": thing(),
    "generator:comparison": thing(),
    "generator:comparison_cost": thing(),
    "generator:start_comparison": act(Action.CREATE, opens=422),  # the form is empty
    "generator:cancel_comparison": CHANGED,
    "generator:change_training_picture": CHANGED,
    "generator:remove_training_picture": CHANGED,
    "generator:training_picture": thing(),
    "generator:retire_adapter": act(Action.CURATE, own=True),
    "generator:lend_adapter": act(Action.CURATE),
}
OVER_THE_API = {  # the training is a draft without rights, so what needs more is refused to whoever may do it
    "get /api/v1/trainings": page(),
    "post /api/v1/trainings": act(Action.CREATE, opens=201, outside=422),  # charlie is told of no such team
    "post /api/v1/trainings/scratch": act(Action.CREATE, opens=409, outside=422),  # there is no such data set
    "get /api/v1/trainings/{pk}": thing(),
    "patch /api/v1/trainings/{pk}": act(Action.MANAGE_JOBS, own=True, opens=200),
    "delete /api/v1/trainings/{pk}": act(Action.MANAGE_JOBS, own=True, opens=204),
    "post /api/v1/trainings/{pk}/files": act(Action.MANAGE_JOBS, own=True, opens=201),
    "post /api/v1/trainings/{pk}/gallery": act(Action.MANAGE_JOBS, own=True, opens=200),
    "patch /api/v1/trainings/{pk}/pictures/{picture}": act(Action.MANAGE_JOBS, own=True, opens=200),
    "delete /api/v1/trainings/{pk}/pictures/{picture}": act(Action.MANAGE_JOBS, own=True, opens=200),
    "put /api/v1/trainings/{pk}/rights": act(Action.MANAGE_JOBS, own=True, opens=200),
    "post /api/v1/trainings/{pk}/start": act(Action.MANAGE_JOBS, own=True, opens=409),
    "post /api/v1/trainings/{pk}/pause": act(Action.MANAGE_JOBS, own=True, opens=409),
    "post /api/v1/trainings/{pk}/resume": act(Action.MANAGE_JOBS, own=True, opens=409),
    "post /api/v1/trainings/{pk}/stop": act(Action.MANAGE_JOBS, own=True, opens=409),
    "post /api/v1/trainings/{pk}/versions": act(Action.CREATE, opens=201),
    "post /api/v1/trainings/{pk}/points/{step}": act(Action.MANAGE_JOBS, own=True, opens=409),
    "post /api/v1/trainings/{pk}/comparisons": act(Action.CREATE, opens=409),
    "get /api/v1/trainings/{pk}/points/{step}/{kind}/{number}": thing(),
    "get /api/v1/adapters": page(),
    "put /api/v1/adapters/{slug}/retired": act(Action.CURATE, own=True, opens=200),
    "put /api/v1/adapters/{slug}/teams": act(Action.CURATE, opens=409),  # it is the team's own
}
BODIES = {
    "patch /api/v1/trainings/{pk}": {"name": "Our flask"},
    "patch /api/v1/trainings/{pk}/pictures/{picture}": {"caption": "on a table"},
    "put /api/v1/trainings/{pk}/rights": {"rights": "own", "people": "nobody"},
    "post /api/v1/trainings/{pk}/comparisons": {"weights": [1]},
    "put /api/v1/adapters/{slug}/retired": {"is_retired": True},
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
    if name in ("generator:trainings", "generator:new_scratch"):
        return reverse(name)
    if name == "generator:new_training":
        return reverse(name, args=["subject"])
    training = _training(bob)
    if name.endswith("_picture"):
        return reverse(name, args=[_with_picture(training).pk])
    if name in ("generator:training_run", "generator:training_sample"):
        Training.objects.filter(pk=training.pk).update(spec={"name": "x"}, steps=4, created=timezone.now())
    if name == "generator:training_sample":
        _with_sample(training)
        return reverse(name, args=[training.pk, 0, "sample", 0])
    if "comparison" in name:
        return _of_comparison(name, training)
    if name == "generator:choose_point":
        return reverse(name, args=[training.pk, 3])
    if name in ("generator:retire_adapter", "generator:lend_adapter"):
        return reverse(name, args=[_adapter(training).slug])
    return reverse(name, args=[training.pk])


def _training(bob: User) -> Training:
    facts = {"name": "Our bottle", "noun": "bottle", "word": "ourbottle", "checkpoint": _starter()}
    return Training.objects.create(team=bob.teams.get(name="Studio"), owner=bob, **facts)


def _with_picture(training: Training) -> TrainingPicture:
    picture = training.pictures.create(name="a.png", width=256, height=256)
    picture.file.save("a.png", ContentFile(_picture()))
    return picture


def _with_sample(training: Training) -> None:
    folder = training.run / "points" / "step-00000000"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "sample-0.png").write_bytes(_picture())


def _of_comparison(name: str, training: Training) -> str:
    """Of one that bob has asked for, of a point that was kept."""
    Training.objects.filter(pk=training.pk).update(spec=SPEC, points=[POINT], steps=4)
    if name in ("generator:start_comparison", "generator:comparison_cost"):
        return reverse(name, args=[training.pk])
    training.refresh_from_db()
    training.point_file(3).parent.mkdir(parents=True, exist_ok=True)
    training.point_file(3).write_bytes(b"x")
    wanted = {"prompt": "a bottle", "seed": 1, "points": [3], "weights": [1.0]}
    batch = trainings.compare_points(user=training.owner, training=training, **wanted)
    return reverse(name, args=[training.pk, *([batch.pk] if name.endswith("cancel_comparison") else [])])


def _adapter(training: Training) -> Adapter:
    made = {"slug": "our-bottle", "name": "Our bottle", "source": "/b", "family": "starter", "licence_name": "MIT"}
    return Adapter.objects.create(training=training, version=1, **made)


def call(door: str, bob: User, make_media) -> tuple[str, dict] | None:
    """The address of something of bob's that was made now, and what is sent; None for what is not of here."""
    if door not in OVER_THE_API:
        return None
    training, content = _training(bob), BODIES.get(door)
    known = {"pk": training.pk, "step": 0, "kind": "sample", "number": 0}
    if "{picture}" in door:
        known["picture"] = _with_picture(training).pk
    if "{slug}" in door:
        known["slug"] = _adapter(training).slug
    if "{kind}" in door:
        _with_sample(training)
    path = door.split()[1].format(**known)
    if door.endswith("/files"):
        return f"{path}?name=a.png", {"data": _picture(), "content_type": "image/png"}
    if door.endswith("/gallery"):
        content = {"media": [str(make_media(bob).pk)]}
    if door.endswith("/teams"):
        content = {"team": str(training.team_id)}
    if door.endswith("/scratch"):
        content = {"name": "Flasks", "source": "album:no", "people": "nobody", "team": str(training.team_id)}
    if door == "post /api/v1/trainings":
        content = {"name": "Our flask", "noun": "flask", "team": str(training.team_id)}
    return path, {"data": content, "content_type": "application/json"} if content else {}
