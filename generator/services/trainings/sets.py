"""Data sets for a model from scratch: an import, or an album, whose pictures and words it is to learn."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any
from uuid import UUID

from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import Count, Q
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.models import Team, User
from accounts.permissions import can
from accounts.roles import Action
from gallery.models import Album, Media, Upload
from gallery.models.errand import State
from generator.diffusion.train import scratch_spec
from generator.models import Checkpoint, Training, TrainingPicture
from generator.services import assets
from generator.services.refused import Refused
from generator.services.trainings.planning import WORDS_FROM, plan

SHOWN = 40  # of each kind, the newest
AT_ONCE = 500  # rows written in one go
CHANGES = frozenset({"size", "steps", "autoencoder_steps", "batch", "points", "seed"})


@dataclass(frozen=True)
class DataSet:
    """Something to learn from. key: "album:<id>" or "import:<id>"."""

    key: str
    name: str
    pictures: int


def data_sets(*, user: User, team: Team) -> list[DataSet]:
    """One's own imports into the team and the albums that one sees in it, those with enough pictures only."""
    taken = Count("files", filter=Q(files__state=State.DONE) & ~Q(files__media=None))
    uploads = Upload.objects.filter(owner=user, team=team, undone=None).annotate(n=taken)
    albums = Album.objects.visible_to(user).filter(team=team).annotate(n=Count("items"))
    enough = {"n__gte": scratch_spec.FEWEST}
    return [
        *(
            DataSet(f"import:{one.pk}", _("Import of %(when)s") % {"when": f"{one.created:%Y-%m-%d %H:%M}"}, one.n)
            for one in uploads.filter(**enough).order_by("-created")[:SHOWN]
        ),
        *(DataSet(f"album:{one.pk}", one.name, one.n) for one in albums.filter(**enough).order_by("-changed")[:SHOWN]),
    ]


@transaction.atomic
def draft_scratch(
    *,
    user: User,
    team: Team,
    checkpoint: Checkpoint,
    name: str,
    source: str,
    people: str,
    phrase: str = "{}",
    changes: dict[str, Any] | None = None,
) -> Training:
    """A model that is to be made of nothing but these pictures; of `checkpoint` it takes over the text encoder.

    source: a DataSet's key. people: `user`'s word that nobody can be recognised in them, or that everybody agrees;
    whose they are was said when they were brought. phrase: what is said of each, {} being its own words.
    Raises PermissionDenied, Refused.
    """
    if not can(user, Action.CREATE, team):
        raise PermissionDenied
    assets.check_usable([checkpoint], user, team)
    if checkpoint.family not in WORDS_FROM:
        raise Refused(
            _("Words cannot be taken over from “%(name)s”. Choose another model.") % {"name": checkpoint.name}
        )
    if people not in TrainingPicture.People.values:
        raise Refused(_("Say whether somebody can be recognised in the pictures."))
    changes = {key: value for key, value in (changes or {}).items() if value not in (None, "")}
    if unknown := changes.keys() - CHANGES:
        raise Refused(_("“%(name)s” cannot be set.") % {"name": min(unknown)})
    name = " ".join(name.split())[:80]
    if not name:
        raise Refused(_("Give it a name."))
    training = Training(
        team=team,
        owner=user,
        kind=Training.Kind.SCRATCH,
        method=Training.Method.SCRATCH,
        name=name,
        checkpoint=checkpoint,
        changes=changes,
    )
    training.save(force_insert=True)
    rows = _rows(training, _pictures(user, team, source), phrase, people)
    TrainingPicture.objects.bulk_create(rows, batch_size=AT_ONCE)
    plan(training, len(rows))
    return training


def _pictures(user: User, team: Team, source: str) -> Iterable[tuple[Media, str]]:
    """(picture, the name of its file) of all that may be learned from, in order."""
    kind, _colon, key = source.partition(":")
    unknown = Refused(_("There is no such data set. Choose one of the list."))
    try:
        pk = UUID(key)
    except ValueError:
        raise unknown from None
    usable = Media.objects.reusable_by(user, team).exclude(visibility=Media.Visibility.PRIVATE)
    names: dict[UUID, str] = {}
    if kind == "import":
        upload = Upload.objects.filter(pk=pk, owner=user, team=team, undone=None).first()
        if upload is None:
            raise unknown
        files = upload.files.filter(state=State.DONE).exclude(media=None).order_by("name")
        names = {media: file for file, media in files.values_list("name", "media")}
        found = {media.pk: media for media in usable.filter(uploaded__upload=upload).distinct()}
        order = [media for media in names if media in found]
    elif kind == "album":
        album = Album.objects.visible_to(user).filter(pk=pk, team=team).first()
        if album is None:
            raise unknown
        found = {media.pk: media for media in usable.filter(albums=album)}
        order = [media for media in album.items.values_list("media", flat=True) if media in found]
    else:
        raise unknown
    if not order:
        says = _(
            "None of its pictures may be learned from: private ones are nobody else's. Show them to the team first."
        )
        raise Refused(says)
    if len(order) > scratch_spec.MOST:
        raise Refused(_("A data set has at most %(n)d pictures.") % {"n": scratch_spec.MOST})
    return [(found[pk], names.get(pk) or str(found[pk].recipe.get("source", {}).get("name", ""))) for pk in order]


def _rows(training: Training, pictures: Iterable[tuple[Media, str]], phrase: str, people: str) -> list[TrainingPicture]:
    now, rows = timezone.now(), []
    phrase = " ".join(phrase.split())[:200] or "{}"
    phrase = phrase if "{}" in phrase else f"{phrase} {{}}"
    for place, (media, file) in enumerate(pictures):
        rights = media.recipe.get("rights") or {}
        said = str(rights.get("whose"))
        whose = said if said in Upload.Whose.values else Upload.Whose.GENERATED.value
        words = words_of(media, file)
        rows.append(
            TrainingPicture(
                training=training,
                media=media,
                name=(file or str(media))[:200],
                order=min(place, 32_767),
                width=media.width,
                height=media.height,
                caption=phrase.replace("{}", words).strip()[:400] if words else "",
                rights=whose,
                rights_note=str(rights.get("note", ""))[:300],
                people=people,
                stated_by=training.owner,
                stated=now,
            )
        )
    return rows


def words_of(media: Media, file: str) -> str:
    """What is said of a picture: its class, where it came in a folder of one; else its prompt; else its title."""
    folder = PurePosixPath(file.replace("\\", "/")).parent.name
    words = folder or media.prompt or media.title
    return " ".join(words.replace("_", " ").split())[:300]
