"""Models that can draw."""

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from generator.diffusion.spec import SCHEDULERS
from generator.models.asset import Asset, CommercialUse

STARTER = "starter"  # the source of the model that ships with Atelier, assembled at its first use


class Checkpoint(Asset):
    """A model that an administrator has put in: where it lies, what suits it, and what its licence allows."""

    CommercialUse = CommercialUse

    native_size = models.PositiveSmallIntegerField(
        _("native size"), default=512, help_text=_("Edge of the square it was trained on, in pixels.")
    )
    memory = models.PositiveIntegerField(
        _("memory (MiB)"), default=0, help_text=_("What a worker's device must have for it. 0: any will do.")
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
    memory_plan = models.JSONField(
        _("memory plan"),
        default=dict,
        blank=True,
        help_text=_('What the automatic plan is to do otherwise, such as {"offload": "model", "tiling": true}.'),
    )
    is_default = models.BooleanField(_("chosen at first"), default=False)

    class Meta:
        verbose_name = _("model")
        verbose_name_plural = _("models")
        ordering = ["-is_default", "name"]
        constraints = [
            models.UniqueConstraint(fields=["is_default"], name="one_default_checkpoint", condition=Q(is_default=True))
        ]

    def suits(self, scheduler: str) -> bool:
        """Whether this model draws well with that scheduler, as far as anybody has said."""
        return not self.schedulers or scheduler in self.schedulers
