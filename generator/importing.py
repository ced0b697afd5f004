"""A model on its way in, as a worker does it: fetched, checked, put in its place, entered in the catalogue.

Imports torch, like the runner that calls it. All happens in a folder of its own beside the models, so that whatever
goes wrong leaves nothing behind.
"""

import logging
import shutil
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from time import monotonic
from typing import Any

from django.conf import settings
from django.core.files.base import ContentFile
from django.db import transaction
from django.db.models import F
from django.utils.text import slugify
from django.utils.translation import gettext as _

from generator.diffusion import checkpoints, metadata, weights
from generator.diffusion.spec import Cancelled, CheckpointError
from generator.diffusion.ways import control, esrgan, reference
from generator.families import DRAWN_BY
from generator.fetching import CannotFetch, Hub, copy_from, hash_of, safe_path, unpack
from generator.models import Adapter, Asset, Checkpoint, Intake, State
from generator.progress import LeaseLost, Paused, Progress, Yielded
from generator.services.intakes import upload_path
from generator.troubles import diagnose

log = logging.getLogger(__name__)
MIB = 2**20
MOST = 200 * 2**30  # bytes of one model
NATIVE = {"sd1": 512, "sd2": 768}  # the rest: 1024
# Kinds beside models that are folders: how each is checked, and what lies in its topmost folder.
FOLDERS = {Intake.Kind.CONTROLNET: control.check, Intake.Kind.IP_ADAPTER: reference.check}
MARKS = {Intake.Kind.CONTROLNET: "config.json", Intake.Kind.IP_ADAPTER: reference.ENCODER}
Tell = Callable[[int], None]


@dataclass(frozen=True)
class Found:
    """What has come: a folder or a file, and what it says of itself."""

    path: Path
    files: list[dict[str, Any]]  # name, size, sha256
    hash: str
    facts: dict[str, Any]
    thumbnail: bytes | None


def run(progress: Progress) -> bool:
    """Brings in what a claimed job asks for. False, as for runner.run, where the process is of no use any more."""
    intake = Intake.objects.select_related("user").get(job=progress.job.pk)
    workshop = Path(settings.MODELS_ROOT) / ".intake" / str(intake.pk)
    try:
        tell = _Teller(progress, intake)
        commit, path = _fetch(intake, workshop, tell)
        tell.stage(_("Checking"))
        _keep(progress, intake, commit, _inspect(intake, path, tell))
    except LeaseLost:
        return True  # whoever has it now goes on with what has come
    except Paused:
        progress.end(State.PAUSED)
        return True
    except Yielded:
        progress.end(State.QUEUED)
        return True
    except Cancelled:
        progress.end(State.CANCELLED)
    except (CannotFetch, CheckpointError) as error:
        says = str(error).replace(f"{workshop}/", "").replace(str(workshop), intake.place)
        progress.end(State.FAILED, reason=says, trace=traceback.format_exc())
    except Exception as error:
        log.exception("import %s stopped", intake.pk)
        trouble = diagnose(error, tries=1)
        progress.end(State.FAILED, reason=f"{trouble.says} {trouble.advice}".strip(), trace=traceback.format_exc())
    shutil.rmtree(workshop, ignore_errors=True)
    return True


class _Teller:
    """Counts bytes; looks for wishes at each piece; writes how far it is once a second."""

    def __init__(self, progress: Progress, intake: Intake) -> None:
        self.progress = progress
        self.pk = intake.pk
        self.done = 0
        self._told = 0.0
        self.stage(_("Fetching"))

    def __call__(self, size: int) -> None:
        self.done += size
        self.progress.check()
        if monotonic() - self._told > 1:
            self._told = monotonic()
            Intake.objects.filter(pk=self.pk).update(done=max(0, self.done))

    def total(self, size: int) -> None:
        """How much it will be."""
        if size > MOST:
            raise CannotFetch(_("It has more than %(n)d GB.") % {"n": MOST // 2**30})
        if size > shutil.disk_usage(settings.MODELS_ROOT).free:
            raise CannotFetch(_("The disk has no room for it."))
        Intake.objects.filter(pk=self.pk).update(size=size)

    def stage(self, words: str) -> None:
        """What is being done."""
        Intake.objects.filter(pk=self.pk).update(stage=words, done=max(0, self.done))


def _fetch(intake: Intake, workshop: Path, tell: _Teller) -> tuple[str, Path]:
    """(revision, what has come)."""
    Path(settings.MODELS_ROOT).mkdir(parents=True, exist_ok=True)
    target = workshop / "files"
    target.mkdir(parents=True, exist_ok=True)
    if intake.origin == Intake.Origin.PATH:
        return "", copy_from(intake.place, settings.MODELS_IMPORT_ROOT, target, tell, tell.total)
    if intake.origin == Intake.Origin.UPLOAD:
        return "", _uploaded(intake, target, tell)
    hub = Hub(settings.HF_ENDPOINT, settings.HF_TOKEN)
    if not checkpoints.HUB_ID.fullmatch(intake.place):
        raise CannotFetch(_("“%(place)s” is no hub id, such as maker/model.") % {"place": intake.place})
    if intake.kind == Intake.Kind.IP_ADAPTER:
        raise CannotFetch(_("An IP-Adapter comes as a folder or a zip: its file beside the folder image_encoder."))
    commit, files = hub.files(
        intake.place,
        intake.revision,
        single=intake.kind != Intake.Kind.MODEL,
        with_config=intake.kind == Intake.Kind.CONTROLNET,
    )
    tell.total(sum(file.size for file in files))
    for file in files:
        aim = safe_path(target, file.path)
        if aim.is_file() and aim.stat().st_size == file.size:  # of an earlier attempt
            tell(file.size)
        else:
            hub.download(intake.place, commit, file, aim, tell)
    is_folder = (target / checkpoints.INDEX).is_file() or intake.kind == Intake.Kind.CONTROLNET
    return commit, target if is_folder else safe_path(target, files[0].path)


def _uploaded(intake: Intake, target: Path, tell: _Teller) -> Path:
    source = upload_path(intake.pk)
    if not source.is_file():
        raise CannotFetch(_("The uploaded file is gone. Upload it again."))
    with source.open("rb") as opened:
        is_zip = opened.read(4) == b"PK\x03\x04"
    if is_zip and intake.place.lower().endswith(".zip"):
        unpack(source, target, tell, most=min(MOST, shutil.disk_usage(target).free))
        mark = MARKS.get(Intake.Kind(intake.kind), checkpoints.INDEX)
        inner = [path.parent for path in target.rglob(mark)]
        return min(inner, key=lambda path: len(path.parts)) if inner else target
    path = target / f"{slugify(Path(intake.place).stem) or 'model'}.safetensors"
    shutil.copyfile(source, path)
    return path


def _inspect(intake: Intake, path: Path, tell: Tell) -> Found:
    """Everything is looked at before anything is kept. Raises CheckpointError."""
    facts: dict[str, Any] = {}
    thumbnail = None
    if path.is_dir() and intake.kind == Intake.Kind.MODEL:
        name = checkpoints.check_folder(path)
        facts["family"] = DRAWN_BY.get(name, "")
    elif check := FOLDERS.get(Intake.Kind(intake.kind)):
        if path.is_dir():
            checkpoints.check_files(path)
        check(path)
    elif path.is_dir():
        raise CheckpointError(_("A LoRA, embedding or upscaler is one .safetensors file."))
    weighty = sorted(path.rglob("*.safetensors")) if path.is_dir() else [path]
    for file in weighty:
        checkpoints.check_file(file)
        tell(0)
    if intake.kind == Intake.Kind.UPSCALER:
        esrgan.load(str(path))
    if path.is_file():
        header = weights.read_header(path)
        facts = metadata.describe(header)
        thumbnail = metadata.thumbnail(header)
    root = path if path.is_dir() else path.parent
    files = [
        {"name": str(file.relative_to(root)), "size": file.stat().st_size, "sha256": hash_of(file, tell)}
        for file in weighty
    ]
    whole = files[0]["sha256"] if path.is_file() else sha256("".join(map(_line, files)).encode()).hexdigest()
    return Found(path, files, whole, facts, thumbnail)


def _line(file: dict[str, Any]) -> str:
    return f"{file['sha256']}  {file['name']}\n"


def _keep(progress: Progress, intake: Intake, commit: str, found: Found) -> None:
    """Into its place first, then its row and DONE in one transaction; if that fails, it is taken out again."""
    end = ".safetensors" if found.path.is_file() else ""
    place = Path(settings.MODELS_ROOT) / "library" / f"{slugify(intake.name) or 'model'}-{found.hash[:12]}{end}"
    if place.exists():
        raise CheckpointError(_("The very same files are in the catalogue already (%(name)s).") % {"name": place.name})
    place.parent.mkdir(parents=True, exist_ok=True)
    found.path.replace(place)
    progress.flush()

    def write() -> None:
        job = progress.holding()
        with transaction.atomic():
            asset = _enter(intake, commit, found, place)
            field = "checkpoint" if isinstance(asset, Checkpoint) else "adapter"
            Intake.objects.filter(pk=intake.pk).update(**{field: asset}, stage="", done=F("size"))
            if not job.move(State.DONE, was_lease=progress.lease):
                raise LeaseLost(str(job.pk))

    try:
        progress.write(write)
    except BaseException:
        shutil.rmtree(place) if place.is_dir() else place.unlink(missing_ok=True)
        raise
    upload_path(intake.pk).unlink(missing_ok=True)
    progress.announce()


def _enter(intake: Intake, commit: str, found: Found, place: Path) -> Asset:
    family = intake.family or found.facts.get("family", "")
    model: type[Checkpoint] | type[Adapter] = Checkpoint if intake.kind == Intake.Kind.MODEL else Adapter
    size = sum(file["size"] for file in found.files)
    facts: dict[str, Any] = {
        "slug": _free_slug(model, intake.name),
        "name": intake.name,
        "source": str(place),
        "revision": commit,
        "family": family or "other",
        "weights_hash": found.hash,
        "files": found.files,
        "size": size,
        "facts": {name: value for name, value in found.facts.items() if name not in ("family", "triggers")},
        "triggers": found.facts.get("triggers", []),
        "licence_name": intake.licence_name or found.facts.get("license", "")[:120] or _("Not stated"),
        "licence_url": intake.licence_url,
        "commercial_use": intake.commercial_use,
        "must_accept": True,
    }
    if model is Checkpoint:
        facts |= {"native_size": NATIVE.get(family, 1024), "memory": size // MIB + 512}
    else:
        facts |= {
            "kind": intake.kind,
            "structure": intake.structure,
            "word": intake.word or (slugify(intake.name) if _is_word(intake) else ""),
        }
    asset = model.objects.create(**facts)
    if found.thumbnail:
        asset.sample.save(f"{asset.slug}.jpg", ContentFile(found.thumbnail))
    return asset


def _is_word(intake: Intake) -> bool:
    return intake.kind == Intake.Kind.EMBEDDING


def _free_slug(model: type[Asset], name: str) -> str:
    slug = slugify(name)[:40] or "model"
    taken = {*model._default_manager.filter(slug__startswith=slug).values_list("slug", flat=True)}
    return next(one for one in (slug, *(f"{slug}-{n}" for n in range(2, 10_000))) if one not in taken)
