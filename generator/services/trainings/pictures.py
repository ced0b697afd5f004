"""The pictures of a training: judged as they come, with captions, crops and somebody's word for their rights.

Imports no torch.
"""

import warnings
from collections.abc import Collection, Sequence
from io import BytesIO
from pathlib import Path
from shutil import rmtree
from typing import Any
from uuid import UUID

from django.core.exceptions import PermissionDenied
from django.core.files.base import ContentFile
from django.db import transaction
from django.db.models import Max
from django.utils import timezone
from django.utils.translation import gettext as _
from PIL import Image, UnidentifiedImageError

from accounts.models import User
from gallery.models import Media, Upload
from generator.diffusion.train import checks, data
from generator.models import Adapter, Checkpoint, Training, TrainingPicture
from generator.services.refused import Refused

MB = 2**20
MOST_BYTES = 32 * MB  # of one file
MOST_PIXELS = 80_000_000
MOST_PICTURES = checks.MANY
KEPT_EDGE = 3072  # pixels: no model draws larger
FORMATS = ("AVIF", "BMP", "GIF", "JPEG", "PNG", "TIFF", "WEBP")


def add_file(*, user: User, training: Training, name: str, content: bytes) -> TrainingPicture:
    """Takes a file that somebody brings, upright and without what else was written into it, and judges it.

    Raises Refused for what is no picture, and where there are too many.
    """
    check_draft(user, training)
    return _keep(training, name=Path(name).name[:200] or "picture", content=_cleaned(content, name))


@transaction.atomic
def add_media(*, user: User, training: Training, media: Media) -> TrainingPicture:
    """Takes a picture of the gallery that `user` may use in the training's team, and shows it to that team."""
    check_draft(user, training)
    if not Media.objects.reusable_by(user, training.team).filter(pk=media.pk).exists():
        raise PermissionDenied
    if media.visibility == Media.Visibility.PRIVATE:
        raise Refused(_("This picture is private, and a training is its team's. Show the picture to the team first."))
    if training.pictures.filter(media=media, removed=None).exists():
        raise Refused(_("This picture is among them already."))
    with media.file.open("rb") as opened:
        content = opened.read()
    name = media.title or media.prompt[:200] or "picture"
    return _keep(training, name=name[:200], content=content, media=media, caption=media.prompt[:400])


@transaction.atomic
def add_many(*, user: User, training: Training, media: Sequence[Media]) -> list[TrainingPicture]:
    """The same for several: all of them, or none."""
    return [add_media(user=user, training=training, media=one) for one in media]


def _cleaned(content: bytes, name: str) -> bytes:
    told = {"name": name, "most": MOST_BYTES // MB}
    if len(content) > MOST_BYTES:
        raise Refused(_("“%(name)s” is larger than %(most)d MB.") % told)
    unreadable = _("“%(name)s” is no picture that can be read, or is cut short.") % told
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            with Image.open(BytesIO(content), formats=FORMATS) as opened:
                width, height = opened.size
    except (UnidentifiedImageError, Image.DecompressionBombError, OSError, ValueError, SyntaxError) as error:
        raise Refused(unreadable) from error
    if width * height > MOST_PIXELS:
        raise Refused(_("“%(name)s” has more than %(n)d million pixels.") % {**told, "n": MOST_PIXELS // 10**6})
    try:
        picture = data.open_rgb(content, name)
    except data.DataError as error:
        raise Refused(unreadable) from error
    picture.thumbnail((KEPT_EDGE, KEPT_EDGE), Image.Resampling.LANCZOS)
    buffer = BytesIO()
    if picture.width * picture.height > 1024**2:
        picture.save(buffer, "JPEG", quality=95, subsampling=0)
    else:
        picture.save(buffer, "PNG")
    return buffer.getvalue()


def _keep(
    training: Training, *, name: str, content: bytes, media: Media | None = None, caption: str = ""
) -> TrainingPicture:
    there = training.pictures.filter(removed=None)
    if there.count() >= MOST_PICTURES:
        raise Refused(_("A training takes at most %(n)d pictures.") % {"n": MOST_PICTURES})
    verdict = checks.judge(content, training.checkpoint.native_size)
    picture = TrainingPicture(
        training=training,
        media=media,
        name=name,
        caption=caption,
        order=(there.aggregate(last=Max("order"))["last"] or 0) + 1,
        width=verdict.width,
        height=verdict.height,
        problems=[{"code": one.code, "severity": one.severity, "words": one.words} for one in verdict.problems],
        hash=verdict.hash.hex(),
        suggested_crop=list(verdict.crop) if verdict.crop else None,
    )
    if media is None:
        end = "jpg" if content[:2] == b"\xff\xd8" else "png"
        picture.file.save(f"{picture.pk}.{end}", ContentFile(content), save=False)
    picture.save(force_insert=True)
    return picture


def change_picture(*, user: User, picture: TrainingPicture, **changes: Any) -> None:
    """Another caption or crop: "suggested", "none", or [left, top, right, bottom] in pixels. Raises Refused."""
    check_draft(user, picture.training)
    fields: dict[str, Any] = {}
    if "caption" in changes:
        fields["caption"] = " ".join(str(changes["caption"]).split())[:400]
    if "crop" in changes:
        fields["crop"] = _crop(picture, changes["crop"])
    TrainingPicture.objects.filter(pk=picture.pk).update(**fields)


def _crop(picture: TrainingPicture, asked: str | Sequence[int]) -> list[int] | None:
    if asked == "none":
        return None
    if asked == "suggested":
        return picture.suggested_crop
    left, top, right, bottom = (int(side) for side in asked)
    if not (0 <= left < right <= picture.width and 0 <= top < bottom <= picture.height):
        raise Refused(_("This crop does not lie within the picture."))
    if min(right - left, bottom - top) < min(checks.MIN_EDGE, picture.width, picture.height):
        raise Refused(_("This crop is too small to learn from."))
    return [left, top, right, bottom]


@transaction.atomic
def state_rights(
    *, user: User, training: Training, pictures: Collection[UUID] | None, rights: str, people: str, note: str = ""
) -> int:
    """`user` says whose these pictures are (None: all), and that whoever is in them agrees; for how many it was."""
    check_draft(user, training)
    if rights not in Upload.Whose.values or people not in TrainingPicture.People.values:
        raise Refused(_("Say whose the pictures are, and whether somebody can be recognised in them."))
    chosen = training.pictures.filter(removed=None)
    if pictures is not None:
        chosen = chosen.filter(pk__in=pictures)
    said = {"rights": rights, "people": people, "rights_note": note.strip()[:300]}
    return chosen.update(**said, stated_by=user, stated=timezone.now())


@transaction.atomic
def remove_picture(*, user: User, picture: TrainingPicture) -> list[Adapter | Checkpoint]:
    """Takes a picture out and removes its file; the adapters or models that have learned from it, which do not forget.

    What was learned from stays as a row, with whoever stated its rights. Refused while its training is under way.
    """
    training = _changeable(user, picture.training)
    if training.is_under_way:
        raise Refused(_("It is being learned from. Stop the training first."))
    taught = list(training.taken.order_by("version")) if picture.learned else []
    stored, storage = picture.file.name if picture.learned else "", picture.file.storage
    if picture.learned:
        TrainingPicture.objects.filter(pk=picture.pk).update(removed=timezone.now(), file="", media=None)
        transaction.on_commit(lambda: _forget_copies(training))
    else:
        picture.delete()
    if stored:
        transaction.on_commit(lambda: storage.delete(stored))
    return taught


def _forget_copies(training: Training) -> None:
    """The run's own copies: it makes them anew of what is left, should it go on."""
    rmtree(training.folder / "pictures", ignore_errors=True)
    rmtree(training.run / "data", ignore_errors=True)


def learned_from(media: Collection[UUID], user: User | None = None) -> list[Adapter | Checkpoint]:
    """The adapters and models that have learned from pictures of the gallery; with a user those that they may know."""
    learned = TrainingPicture.objects.filter(media__in=media, learned__isnull=False).values("training")
    taught = Training.objects.filter(pk__in=learned)
    if user is not None:
        taught = taught & Training.objects.visible_to(user)
    found: list[Adapter | Checkpoint] = [*Adapter.objects.filter(training__in=taught)]
    found += Checkpoint.objects.filter(training__in=taught)
    return sorted(found, key=lambda one: (one.name, one.version or 0))


def check_draft(user: User, training: Training) -> None:
    """PermissionDenied for whoever may not change it, Refused once something was computed."""
    if not _changeable(user, training).is_draft:
        raise Refused(_("This has been started and is fixed. Make a new version of it."))


def _changeable(user: User, training: Training) -> Training:
    found = Training.objects.changeable_by(user).filter(pk=training.pk).select_related("job").first()
    if found is None:
        raise PermissionDenied
    return found
