"""The recipe of a picture, to read, to copy and to use again."""

from django.utils.http import urlencode
from django.utils.translation import gettext as _

from gallery.models import Media


def rows(media: Media) -> list[tuple[str, str]]:
    """(label, value) of every setting that is known, in the order people look for them."""
    recipe = media.recipe
    table = [
        (_("Prompt"), media.prompt),
        (_("Negative prompt"), recipe.get("negative_prompt")),
        (_("Style"), media.style),
        (_("Model"), media.checkpoint),
        (_("Size"), _("%(width)d × %(height)d px") % {"width": media.width, "height": media.height}),
        (_("Steps"), media.steps),
        (_("Guidance"), None if media.guidance is None else f"{media.guidance:g}"),
        (_("Scheduler"), recipe.get("scheduler_label") or media.scheduler),
        (_("Seed"), media.seed),
        (_("Weights"), (recipe.get("checkpoint_hash") or "")[:12]),
        (_("Made on"), " · ".join(filter(None, (recipe.get("device"), recipe.get("dtype"))))),
    ]
    return [(label, str(value)) for label, value in table if value not in (None, "")]


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
    }
    return urlencode({key: "" if value is None else value for key, value in values.items()})
