"""What an installation has from the start: the starter model and style presets. Administrators may change them."""

from django.utils.translation import gettext_lazy as _

from gallery import services as gallery
from generator.diffusion.starter.card import read_card
from generator.families import PIPELINES
from generator.models import Checkpoint, StylePreset
from generator.models.checkpoint import STARTER

STARTER_FAMILY = "starter"
SD_FAMILIES = [family for family in PIPELINES if family != "starter"]
# (slug, name, template, negative prompt, families). The starter's template is its training captions' own wording.
STYLES = [
    ("3d-icon", "3D icon", "3d render of {prompt}", "", [STARTER_FAMILY]),
    ("3d-navy", "3D icon on navy", "3d render of {prompt} on a navy blue background", "", [STARTER_FAMILY]),
    ("3d-mint", "3D icon on mint", "3d render of {prompt} on a mint green background", "", [STARTER_FAMILY]),
    ("3d-pink", "3D icon on pink", "3d render of {prompt} on a pink background", "", [STARTER_FAMILY]),
    ("3d-yellow", "3D icon on yellow", "3d render of {prompt} on a yellow background", "", [STARTER_FAMILY]),
    ("3d-white", "3D icon on white", "3d render of {prompt} on a white background", "", [STARTER_FAMILY]),
    (
        "product-photo",
        "Product photo",
        "studio product photograph of {prompt}, softbox lighting, seamless background, sharp focus",
        "text, watermark, clutter",
        SD_FAMILIES,
    ),
    (
        "lifestyle",
        "Lifestyle",
        "candid lifestyle photograph, {prompt}, natural window light, shallow depth of field",
        "text, watermark, studio backdrop",
        SD_FAMILIES,
    ),
    (
        "concept-art",
        "Concept art",
        "concept art of {prompt}, atmospheric perspective, cinematic light, painterly",
        "photo, text, watermark",
        SD_FAMILIES,
    ),
    (
        "flat-illustration",
        "Flat illustration",
        "flat vector illustration of {prompt}, bold shapes, limited palette",
        "photo, gradient, texture, text",
        SD_FAMILIES,
    ),
    (
        "architecture",
        "Architecture",
        "architectural photograph of {prompt}, golden hour, straight verticals, wide lens",
        "people, text, watermark, tilt",
        SD_FAMILIES,
    ),
    (
        "fashion",
        "Fashion",
        "fashion editorial photograph of {prompt}, styled set, medium format film",
        "text, watermark, deformed hands",
        SD_FAMILIES,
    ),
]

# (name, text) of the prompt templates that ship. What stands in brackets is a gap to fill in.
TEMPLATES = [
    (_("Product on a surface"), _("product photo of [product] on [surface], [light]")),
    (_("Object on a background"), _("3d render of [object] on a [colour] background")),
    (_("Seasonal greeting"), _("[season] greeting card with [object], [colour] background, festive")),
    (_("Person at work"), _("portrait of [person] in [place], [light], shallow depth of field")),
    (
        _("Banner with room for words"),
        _("[subject] at the [side] edge, plain [colour] background, empty space beside it"),
    ),
]


def install_builtin() -> None:
    """Makes the rows that ship with Atelier where they are missing; existing ones stay as administrators left them."""
    gallery.install_channels()
    _install_starter()
    _install_styles()


def _install_styles() -> None:
    known = {*StylePreset.objects.values_list("slug", flat=True)}
    missing = [
        StylePreset(
            slug=slug,
            name=name,
            template=template,
            negative=negative,
            families=families,
            sample=f"img/styles/{slug}.webp" if families == [STARTER_FAMILY] else "",
            order=order,
        )
        for order, (slug, name, template, negative, families) in enumerate(STYLES)
        if slug not in known
    ]
    StylePreset.objects.bulk_create(missing, ignore_conflicts=True)  # several processes may begin at once


def _install_starter() -> None:
    card = read_card()
    Checkpoint.objects.get_or_create(
        slug=STARTER,
        defaults={
            "name": card["name"],
            "source": STARTER,
            "family": STARTER_FAMILY,
            "native_size": card["native_size"],
            "default_steps": card["steps"],
            "default_guidance": card["guidance"],
            "default_scheduler": card["scheduler"],
            "schedulers": card["schedulers"],
            "suggestions": card["suggestions"],
            "licence_name": card["licence"],
            "licence_url": card["licence_url"],
            "commercial_use": Checkpoint.CommercialUse.YES if card["commercial_use"] else Checkpoint.CommercialUse.NO,
            "attribution": card["attribution"],
            "is_default": not Checkpoint.objects.filter(is_default=True).exists(),
        },
    )
