"""Preparing an export: each crop from its original, into one file or a zip, told as it goes. Runs in a worker."""

import hashlib
import logging
import tempfile
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from time import monotonic
from typing import IO, Any

from django.core.files import File
from django.utils import timezone
from django.utils.translation import gettext as _
from PIL import Image

from accounts.live import publish, user_group
from accounts.models import Team
from gallery import renditions
from gallery.export import manifest
from gallery.export.crop import crop_for, cut
from gallery.export.encode import EXTENSIONS, Credits, Encoded, encode
from gallery.export.layers import Safe, lay_logo, lay_text
from gallery.export.naming import Namer
from gallery.export.spec import Wishes
from gallery.models import Brand, BrandFont, Channel, Export, Media
from gallery.models.errand import State
from gallery.services.refused import Refused
from gallery.services.reviews import is_draft

log = logging.getLogger(__name__)

TOLD_EVERY = 0.3  # seconds between two events of one export
NO_KB = 1000  # bytes of a kB, as the platforms count


class Gone(Exception):  # noqa: N818 (nobody's fault)
    """The export was deleted, or is another worker's by now."""


@dataclass(frozen=True)
class Written:
    """What lies in an export's file: how it is called, how many pictures are in it, what is to be known about it."""

    name: str
    files: int
    notes: list[str]


class Pace:
    """Says how far an export is, a few times a second at most."""

    def __init__(self, export: Export) -> None:
        self.export, self.done, self._told = export, 0, 0.0

    def at(self, done: int) -> None:
        """So many are ready. Raises Gone when nobody waits for it any more."""
        self.done = done
        self.beat()

    def beat(self) -> None:
        """As many as before; the worker lives. Raises as `at`."""
        if not self.export.hold(done=self.done):
            raise Gone
        if monotonic() - self._told > TOLD_EVERY:
            self._told = monotonic()
            self.export.done = self.done
            tell(self.export)


# What the rooms above put in order: who writes it, by the `kind` of its wishes. Refused fails it with that sentence.
WRITERS: dict[str, Callable[[Export, Pace, IO[bytes]], Written]] = {}


@dataclass
class Kit:
    """What is read once for all files of an export."""

    wishes: Wishes
    namer: Namer
    logo: Image.Image | None = None
    font: bytes | None = None
    entries: list[dict[str, Any]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Made:
    """One finished file."""

    encoded: Encoded
    size: tuple[int, int]
    format: str
    is_draft: bool
    scale: float


def prepare(export: Export) -> None:
    """Takes a claimed export to its end: DONE with its file, or FAILED with the reason."""
    try:
        if export.is_hopeless:
            raise ValueError("its workers were lost, again and again")
        _prepare(export)
    except Gone:
        log.info("export %s is nobody's any more", export.pk)
    except Refused as refusal:
        _fail(export, str(refusal))
    except Exception:
        log.exception("export %s failed", export.pk)
        _fail(export, _("It could not be prepared. Try again; if it fails again, tell an administrator."))


def _fail(export: Export, reason: str) -> None:
    if export.end(State.FAILED, reason=reason):
        tell(export)


def _prepare(export: Export) -> None:
    write = WRITERS.get(export.wishes.get("kind", ""), _write_pictures)
    # On the disk beside other temporary files: it may be larger than memory.
    with tempfile.TemporaryFile() as target:
        written = write(export, Pace(export), target)
        if not written.files:
            raise Refused(written.notes[0] if written.notes else _("None of these pictures is left."))
        _store(export, written, target)


def _write_pictures(export: Export, pace: Pace, target: IO[bytes]) -> Written:
    wishes = Wishes.from_json(export.wishes)
    kit = kit_for(export.team, wishes, Namer(wishes.naming))
    name = (_write_one if export.total == 1 else _write_zip)(export, pace, kit, target)
    if len(kit.entries) == 1 and export.total == 1:
        export.wishes["file_name"] = name
    return Written(name, len(kit.entries), kit.notes)


def kit_for(team: Team, wishes: Wishes, namer: Namer) -> Kit:
    """What a team lays over its pictures, read once."""
    return Kit(wishes, namer, _logo(team, wishes), _font(team, wishes))


def _write_one(export: Export, pace: Pace, kit: Kit, target: IO[bytes]) -> str:
    for name, data in _files(export, pace, kit):
        target.write(data)
        return name.rsplit("/", 1)[-1]
    return ""


def _write_zip(export: Export, pace: Pace, kit: Kit, target: IO[bytes]) -> str:
    # Stored: the pictures are compressed already.
    with zipfile.ZipFile(target, "w", zipfile.ZIP_STORED, allowZip64=True) as archive:
        for name, data in _files(export, pace, kit):
            archive.writestr(name, data)
        about = {"export": export.name, "team": str(export.team), "by": str(export.owner), "made": timezone.now()}
        about |= {"left_out": kit.notes}
        archive.writestr("manifest.json", manifest.as_json(about, kit.entries))
        archive.writestr("manifest.csv", manifest.as_csv(kit.entries))
    return "export.zip"


def _files(export: Export, pace: Pace, kit: Kit) -> Iterator[tuple[str, bytes]]:
    """(name, bytes) of each, one at a time. Says how far it is after each. Gone when nobody waits for it any more."""
    wishes = kit.wishes
    channels = Channel.objects.in_bulk(wishes.channels)
    done = 0
    for pk in wishes.media:
        media = Media.objects.visible_to(export.owner).kept().select_related("team", "owner").filter(pk=pk).first()
        if media is None:
            kit.notes.append(_("A picture was deleted, or is hidden from you by now: it was left out."))
        image = open_original(media, kit) if media else None
        for number in wishes.channels:
            done += 1
            if media and image and number in channels:
                yield from _file(export, kit, media, channels[number], image)
            pace.at(done)


def open_original(media: Media, kit: Kit) -> Image.Image | None:
    """The decoded original, once for all its channels; None, with a note, when its file is gone."""
    try:
        with media.file.open("rb") as stored, Image.open(stored) as image:
            return image.convert("RGBA" if image.has_transparency_data else "RGB")
    except OSError:
        log.warning("the original of %s cannot be read", media.pk, exc_info=True)
        kit.notes.append(_("“%(title)s” has no file any more: it was left out.") % {"title": media})
        return None


def _file(export: Export, kit: Kit, media: Media, channel: Channel, image: Image.Image) -> Iterator[tuple[str, bytes]]:
    made = make(kit, media, channel, image)
    about = {"title": str(media)[:80], "channel": channel.name}
    if made is None:
        kit.notes.append(_("“%(title)s” is too small for %(channel)s: it was left out.") % about)
        return
    if not made.encoded.fits:
        kit.notes.append(_("“%(title)s” for %(channel)s is larger than it should be.") % about)
    number = len(kit.entries) + 1
    name = kit.namer.name(_facts(export, media, channel, made, number), EXTENSIONS[made.format])
    kit.entries.append(_entry(name, media, channel, made))
    yield name, made.encoded.data


def make(kit: Kit, media: Media, channel: Channel, image: Image.Image) -> Made | None:
    """One picture for one channel; None when it has too few pixels and may not be enlarged."""
    wishes = kit.wishes
    crop = crop_for(image.size, channel.size, wishes.focus_of(media.pk, channel.pk))
    if crop.is_enlarged and not wishes.enlarge:
        return None
    picture = cut(image, crop)
    safe = Safe(channel.safe_top / 100, channel.safe_bottom / 100, channel.safe_sides / 100)
    if wishes.logo and kit.logo:
        picture = lay_logo(picture, kit.logo, wishes.logo, safe)
    if wishes.text and wishes.text.text.strip():
        picture = lay_text(picture, wishes.text, kit.font, safe)
    draft = is_draft(media)
    if draft:
        picture = renditions.with_draft_mark(picture)
    format_ = wishes.format or channel.format
    limit = wishes.max_kb or channel.max_kb
    encoded = encode(
        picture,
        format_,
        quality=wishes.quality or channel.quality,
        max_bytes=limit * NO_KB if limit else None,
        dpi=channel.dpi,
        credits=_credits(media) if wishes.credits else None,
    )
    return Made(encoded, picture.size, format_, draft, crop.scale)


def _credits(media: Media) -> Credits:
    recipe = media.recipe
    rights = recipe.get("attribution") or recipe.get("rights", {}).get("note") or recipe.get("licence") or ""
    return Credits(title=media.title, maker=str(media.owner or media.team), rights=str(rights))


def _facts(export: Export, media: Media, channel: Channel, made: Made, number: int) -> dict[str, object]:
    return {
        "team": export.team.name,
        "title": (media.title or media.prompt)[:60] or _("picture"),
        "channel": channel.slug,
        "date": timezone.localdate().isoformat(),
        "n": f"{number:0{max(2, len(str(export.total)))}d}",
        "seed": media.seed if media.seed is not None else "",
        "id": media.pk.hex[:8],
        "width": made.size[0],
        "height": made.size[1],
        "person": str(media.owner or ""),
        "model": media.checkpoint,
    }


def _entry(name: str, media: Media, channel: Channel, made: Made) -> dict[str, Any]:
    recipe = media.recipe
    return {
        "file": name,
        "title": media.title,
        "channel": channel.name,
        "width": made.size[0],
        "height": made.size[1],
        "format": made.format,
        "quality": made.encoded.quality,
        "bytes": len(made.encoded.data),
        "sha256": hashlib.sha256(made.encoded.data).hexdigest(),
        "review": media.get_review_state_display(),
        "is_draft": made.is_draft,
        "enlarged": round(made.scale, 2) if made.scale > 1 else None,
        "maker": str(media.owner or ""),
        "licence": recipe.get("licence") or recipe.get("rights", {}).get("note", ""),
        "attribution": recipe.get("attribution", ""),
        "model": media.checkpoint,
        "seed": media.seed,
        "prompt": media.prompt,
        "media": str(media.pk),
        "original_sha256": media.sha256,
        "recipe": recipe,
    }


def _store(export: Export, written: Written, target: IO[bytes]) -> None:
    digest = hashlib.sha256()
    size = target.tell()
    target.seek(0)
    while chunk := target.read(1 << 20):
        digest.update(chunk)
    target.seek(0)
    export.file.save(written.name, File(target, name=written.name), save=False)
    stored = export.file
    notes = list(dict.fromkeys(written.notes))
    facts = {"file": stored.name, "bytes": size, "sha256": digest.hexdigest(), "notes": notes, "wishes": export.wishes}
    if not export.end(State.DONE, done=export.total, **facts):
        stored.storage.delete(str(stored.name))
        raise Gone
    tell(export)


def _logo(team: Team, wishes: Wishes) -> Image.Image | None:
    brand = Brand.objects.filter(team=team).exclude(logo="").first() if wishes.logo else None
    if brand is None:
        return None
    with brand.logo.open("rb") as stored, Image.open(stored) as image:
        return image.convert("RGBA")


def _font(team: Team, wishes: Wishes) -> bytes | None:
    if not wishes.text or not wishes.text.font:
        return None
    font = BrandFont.objects.filter(team=team, pk=wishes.text.font).first()
    if font is None:
        return None
    with font.file.open("rb") as stored:
        return stored.read()


def tell(export: Export) -> None:
    """Lets its owner's pages know how far it is."""
    event = {"type": "export.changed", "export": str(export.pk), "state": export.state}
    publish([user_group(export.owner_id)], {**event, "done": export.done, "total": export.total})
