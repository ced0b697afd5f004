"""What an installation has from the start: the starter model and style presets. Administrators may change them."""

from django.utils.translation import gettext_noop as _

from generator.diffusion.starter.card import read_card
from generator.models import Checkpoint
from generator.models.checkpoint import STARTER

BACKGROUNDS = [
    ("navy", _("3D icon on navy"), "navy blue"),
    ("mint", _("3D icon on mint"), "mint green"),
    ("pink", _("3D icon on pink"), "pink"),
    ("yellow", _("3D icon on yellow"), "yellow"),
    ("white", _("3D icon on white"), "white"),
]


def install_builtin() -> None:
    """Makes the rows that ship with Atelier; existing ones stay as administrators left them, hashes are renewed."""
    card = read_card()
    starter, _created = Checkpoint.objects.get_or_create(
        slug=STARTER,
        defaults={
            "name": card["name"],
            "source": STARTER,
            "family": "starter",
            "native_size": card["native_size"],
            "default_steps": card["steps"],
            "default_guidance": card["guidance"],
            "default_scheduler": card["scheduler"],
            "suggestions": card["suggestions"],
            "licence_name": card["licence"],
            "licence_url": card["licence_url"],
            "commercial_use": Checkpoint.CommercialUse.YES,
            "attribution": card["attribution"],
            "is_default": not Checkpoint.objects.filter(is_default=True).exists(),
        },
    )
    if starter.weights_hash != card["weights_hash"]:
        Checkpoint.objects.filter(pk=starter.pk).update(weights_hash=card["weights_hash"])
