"""Writing a data set: a folder a class, as ImageFolder reads it, with what is known of each picture. Runs in a worker.

Copies stay out: what is nearer than the bound to a picture that the model, or an adapter, has learned from.
"""

import json
import zipfile
from hashlib import sha256
from io import BytesIO
from typing import IO, Any

from django.utils.translation import gettext as _
from PIL import Image

from gallery.models import Export, Media
from gallery.services import Refused, drafts_among
from gallery.services.exporting import Pace, Written
from generator.diffusion.train import data
from generator.models import Batch, Generation
from generator.services.datasets.asking import pictures_of
from generator.services.datasets.card import card
from generator.services.datasets.comparing import Comparison
from generator.services.datasets.origins import origins_of
from generator.services.datasets.sheet import DRAFT, GONE, NEAR, Sheet, manifest, notes


def write(export: Export, pace: Pace, target: IO[bytes]) -> Written:
    """As exporting.WRITERS takes it."""
    batch = Batch.objects.visible_to(export.owner).select_related("team").filter(pk=export.wishes["batch"]).first()
    made = pictures_of(batch, export.owner) if batch else []
    if batch is None or not made:
        raise Refused(_("None of its pictures is left."))
    sheet, bound = Sheet(), int(export.wishes["bound"])
    # Stored: the pictures are compressed already.
    with zipfile.ZipFile(target, "w", zipfile.ZIP_STORED, allowZip64=True) as archive:
        comparison = Comparison(origins_of(one for one, _media in made), export.owner, pace.beat)
        _write_pictures(archive, made, comparison, bound, sheet, pace)
        about = manifest(export, batch, comparison, bound, sheet)
        table = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in sheet.rows)
        archive.writestr("metadata.jsonl", table)
        about["metadata_sha256"] = sha256(table.encode()).hexdigest()
        archive.writestr("manifest.json", json.dumps(about, ensure_ascii=False, indent=1, default=str))
        archive.writestr("README.md", card(about))
    return Written("data-set.zip", len(sheet.files), notes(sheet, comparison, bound))


def _write_pictures(
    archive: zipfile.ZipFile,
    made: list[tuple[Generation, Media]],
    comparison: Comparison,
    bound: int,
    sheet: Sheet,
    pace: Pace,
) -> None:
    drafts = drafts_among(media for _generation, media in made)
    for done, (generation, media) in enumerate(made, 1):
        row = _row(generation, media)
        content, image = _picture(media)
        if media.pk in drafts:
            sheet.left_out.append({"why": DRAFT, **row})
        elif image is None:
            sheet.left_out.append({"why": GONE, **row})
        else:
            found = comparison.nearest(image)
            row |= comparison.facts(found)
            if found and found.bits < bound:
                sheet.left_out.append({"why": NEAR, **row})
            else:
                name = sheet.name(row["label"])
                archive.writestr(name, content)
                sheet.rows.append({"file_name": name, **row})
                sheet.files.append({"file": name, "bytes": len(content), "sha256": sha256(content).hexdigest()})
        pace.at(done)


def _row(generation: Generation, media: Media) -> dict[str, Any]:
    """text: the prompt. label: the title of its row, or the prompt, by which folders are made."""
    recipe = media.recipe
    return {
        "text": generation.prompt,
        "label": generation.title or generation.prompt,
        "seed": media.seed,
        "model": media.checkpoint,
        "model_hash": recipe.get("checkpoint_hash", ""),
        "adapters": [{name: one.get(name) for name in ("name", "weight", "hash")} for one in generation.adapters],
        "width": media.width,
        "height": media.height,
        "media": str(media.pk),
    }


def _picture(media: Media) -> tuple[bytes, Image.Image | None]:
    """A PNG, as it is kept where it is one: its metadata says that a model made it."""
    try:
        with media.file.open("rb") as stored:
            content = bytes(stored.read())
        image = data.open_rgb(content, str(media))
    except (OSError, data.DataError):
        return b"", None
    if not content.startswith(b"\x89PNG"):
        buffer = BytesIO()
        image.save(buffer, "PNG")
        content = buffer.getvalue()
    return content, image
