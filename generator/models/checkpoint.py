"""Models that can draw, with their licences."""

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from generator.diffusion.spec import SCHEDULERS

STARTER = "starter"  # the source of the model that ships with Atelier, assembled at its first use


class CheckpointQuerySet(models.QuerySet["Checkpoint"]):
    """Checkpoints by whether they can be used."""

    def enabled(self) -> "CheckpointQuerySet":
        """Those that people may choose."""
        return self.filter(is_enabled=True)


class Checkpoint(models.Model):
    """A model that an administrator has put in: where it lies, what suits it, and what its licence allows."""

    class CommercialUse(models.TextChoices):
        """What the licence says of making money with the pictures."""

        YES = "yes", _("Free for commercial use")
        CONDITIONAL = "conditional", _("Commercial use under conditions")
        NO = "no", _("Not for commercial use")

    slug = models.SlugField(_("short name"), unique=True)
    name = models.CharField(_("name"), max_length=80)
    source = models.CharField(
        _("source"),
        max_length=400,
        help_text=_("A hub id, the path of a diffusers folder or of one .safetensors file, or “starter”."),
    )
    weights_hash = models.CharField(_("hash of the weights"), max_length=64, blank=True)
    family = models.CharField(
        _("family"), max_length=40, help_text=_("Decides which style presets suit it: starter, sd1, sdxl, sd3, flux…")
    )
    native_size = models.PositiveSmallIntegerField(
        _("native size"), default=512, help_text=_("Edge of the square it was trained on, in pixels.")
    )
    default_steps = models.PositiveSmallIntegerField(_("steps"), default=25)
    default_guidance = models.FloatField(_("guidance"), default=7.0)
    default_scheduler = models.CharField(
        _("scheduler"), max_length=40, choices=[*SCHEDULERS.items()], default="default"
    )
    schedulers = models.JSONField(
        _("schedulers that suit"), default=list, blank=True, help_text=_("Their short names; empty: all of them.")
    )
    suggestions = models.JSONField(_("prompts to try"), default=list, blank=True)
    is_enabled = models.BooleanField(_("can be chosen"), default=True)
    is_default = models.BooleanField(_("chosen at first"), default=False)

    licence_name = models.CharField(_("licence"), max_length=120)
    licence_url = models.URLField(_("licence text"), blank=True)
    commercial_use = models.CharField(
        _("commercial use"), max_length=12, choices=CommercialUse, default=CommercialUse.NO
    )
    attribution = models.TextField(_("attribution"), blank=True)
    objects = CheckpointQuerySet.as_manager()

    class Meta:
        verbose_name = _("model")
        verbose_name_plural = _("models")
        ordering = ["-is_default", "name"]
        constraints = [
            models.UniqueConstraint(fields=["is_default"], name="one_default_checkpoint", condition=Q(is_default=True))
        ]

    def __str__(self) -> str:
        return self.name

    def suits(self, scheduler: str) -> bool:
        """Whether this model draws well with that scheduler, as far as anybody has said."""
        return not self.schedulers or scheduler in self.schedulers
