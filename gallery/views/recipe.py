"""The recipe of a picture, to read, to copy and to use again."""

from typing import Any

from django.utils.http import urlencode
from django.utils.translation import gettext as _

from gallery.models import Media


def rows(media: Media) -> list[tuple[str, str]]:
    """(label, value) of every setting that is known, in the order people look for them."""
    recipe = media.recipe
    table = [
        (_("Prompt"), media.prompt),
        (_("Negative prompt"), recipe.get("negative_prompt")),
        (_("Style"), _style(media)),
        (_("Model"), media.checkpoint),
        (_("Size"), _("%(width)d × %(height)d px") % {"width": media.width, "height": media.height}),
        (_("Steps"), media.steps),
        (_("Guidance"), None if media.guidance is None else f"{media.guidance:g}"),
        (_("Scheduler"), recipe.get("scheduler_label") or media.scheduler),
        (_("Seed"), media.seed),
        (_("LoRAs and embeddings"), "\n".join(map(_adapter, recipe.get("adapters") or []))),
        (_("Weights"), (recipe.get("checkpoint_hash") or "")[:12]),
        (_("Settings read from"), recipe.get("read_from")),
        *_brought(recipe),
        (_("Made on"), " · ".join(filter(None, (recipe.get("device"), recipe.get("dtype"))))),
    ]
    return [(label, str(value)) for label, value in table if value not in (None, "")]


def _brought(recipe: dict[str, Any]) -> list[tuple[str, Any]]:
    """Of a picture that somebody brought: whose it is, as they stated.

    Of one that was made of another, `source` is the id of that one.
    """
    found = (recipe.get(key) for key in ("rights", "source", "metadata"))
    rights, source, metadata = (facts if isinstance(facts, dict) else {} for facts in found)
    return [
        (_("Whose it is"), rights.get("label")),
        (_("Licence or source"), rights.get("note")),
        (_("Stated by"), rights.get("stated_by")),
        (_("Brought as"), source.get("name")),
        (_("Camera"), metadata.get("camera")),
        (_("Taken"), metadata.get("taken")),
        (_("Copyright"), metadata.get("copyright")),
    ]


def _adapter(entry: dict) -> str:
    """Its name, its weight and the beginning of its hash, as far as a recipe from elsewhere says them."""
    weight, known = entry.get("weight", 1), entry.get("hash", "")[:12]
    return f"{entry.get('name', '')} × {weight}" + (f" ({known})" if known else "")


def _style(media: Media) -> str:
    version = media.recipe.get("style_version", 1)
    if not media.style or version == 1:
        return media.style
    return _("%(style)s (version %(version)d)") % {"style": media.style, "version": version}


def as_fragment(media: Media) -> str:
    """The Create page's form filled with what made this one picture: what stands after # in its address."""
    recipe = media.recipe
    values = {
        "prompt": media.prompt,
        "negative_prompt": recipe.get("negative_prompt"),
        "style": recipe.get("style_slug"),
        "format": media.format,
        "checkpoint": recipe.get("checkpoint_slug"),
        "count": 1,
        "steps": media.steps,
        "guidance": None if media.guidance is None else f"{media.guidance:g}",
        "seed": media.seed,
        "scheduler": media.scheduler,
        "source": recipe.get("source") if media.way == Media.Way.IMAGE else "",
        "strength": recipe.get("strength"),
        **_reference(recipe),
        "adapters": ",".join(
            f"{one['slug']}:{one['weight']:g}"
            for one in recipe.get("adapters") or []
            if "slug" in one and one.get("kind", "lora") == "lora"
        ),
    }
    return urlencode({key: "" if value is None else value for key, value in values.items()})


def _reference(recipe: dict[str, Any]) -> dict[str, Any]:
    """What the picture went by: the structure of another, or its subject and style."""
    for name in ("structure", "reference"):
        if guide := recipe.get(name):
            return {
                "reference": guide["source"],
                "reference_as": guide.get("kind", "style"),
                "reference_scale": f"{guide['scale']:g}",
            }
    return {}
