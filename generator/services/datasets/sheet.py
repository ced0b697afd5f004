"""What is written down while a data set is made, its manifest, and what whoever fetches it must know."""

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from gallery.export.naming import safe_part
from gallery.models import Export
from generator.diffusion.train.nearest import FARTHEST
from generator.models import Batch
from generator.services.datasets.comparing import Comparison
from generator.services.datasets.origins import Origin

NEAR, DRAFT, GONE = "near", "draft", "gone"  # why a picture is left out
LABEL = 80  # signs of a class that its folder is called by


@dataclass
class Sheet:
    """rows: of the table, one a file. left_out: the same without a file, and why."""

    folders: dict[str, str] = field(default_factory=dict)  # by class
    counts: Counter[str] = field(default_factory=Counter)  # files by folder
    rows: list[dict[str, Any]] = field(default_factory=list)
    files: list[dict[str, Any]] = field(default_factory=list)
    left_out: list[dict[str, Any]] = field(default_factory=list)

    def name(self, label: str) -> str:
        """Of the next file of a class. Classes that would share a folder get folders of their own."""
        if label not in self.folders:
            stem, taken = safe_part(label[:LABEL]) or "class", {one.casefold() for one in self.folders.values()}
            folder, n = stem, 1
            while folder.casefold() in taken:
                n += 1
                folder = f"{stem}-{n}"
            self.folders[label] = folder
        folder = self.folders[label]
        self.counts[folder] += 1
        return f"{folder}/{self.counts[folder]:05d}.png"

    @property
    def why(self) -> dict[str, int]:
        """How many were left out, by the reason."""
        counted = Counter(one["why"] for one in self.left_out)
        return {reason: counted[reason] for reason in (NEAR, DRAFT, GONE)}


def manifest(export: Export, batch: Batch, comparison: Comparison, bound: int, sheet: Sheet) -> dict[str, Any]:
    """All that is known of it, as plain JSON."""
    return {
        "data_set": export.name,
        "batch": {"id": str(batch.pk), "name": batch.name},
        "team": str(batch.team),
        "by": str(export.owner),
        "made": timezone.now().isoformat(),
        "synthetic": True,
        "nearest": {"measure": "PDQ: bits that differ, as it is or mirrored", "bits": FARTHEST, "bound": bound},
        "models": [_model(one, comparison) for one in comparison.origins],
        "counts": {
            "made": len(sheet.files) + len(sheet.left_out),
            "kept": len(sheet.files),
            "left_out": sheet.why,
            "by_class": {label: sheet.counts[folder] for label, folder in sheet.folders.items()},
        },
        "left_out": sheet.left_out,
        "files": sheet.files,
    }


def _model(origin: Origin, comparison: Comparison) -> dict[str, Any]:
    learned: dict[str, Any] = {"known": origin.is_known}
    if origin.is_known:
        learned |= {"count": origin.count, "gone": comparison.gone(origin)}
    return {**origin.facts(), "training_pictures": learned}


def notes(sheet: Sheet, comparison: Comparison, bound: int) -> list[str]:
    """Sentences that stand beside the export."""
    why, told = sheet.why, []
    if n := why[NEAR]:
        says = ngettext(
            "%(n)d picture was left out: it differs from a training picture in fewer than %(bound)d of 256 bits.",
            "%(n)d pictures were left out: they differ from a training picture in fewer than %(bound)d of 256 bits.",
            n,
        )
        told.append(says % {"n": n, "bound": bound})
    if n := why[DRAFT]:
        says = ngettext(
            "%(n)d picture was left out: nobody has approved it.",
            "%(n)d pictures were left out: nobody has approved them.",
            n,
        )
        told.append(says % {"n": n})
    if n := why[GONE]:
        says = ngettext("%(n)d picture has no file any more.", "%(n)d pictures have no files any more.", n)
        told.append(says % {"n": n})
    for one in comparison.origins:
        if not one.is_known:
            says = _("What “%(name)s” has learned from is not known here: nothing was compared with it.")
            told.append(says % {"name": one.asset.name})
        elif n := comparison.gone(one):
            says = _("%(n)d of %(all)d training pictures of “%(name)s” are gone and could not be compared with.")
            told.append(says % {"n": n, "all": one.count, "name": one.asset.name})
    return told
