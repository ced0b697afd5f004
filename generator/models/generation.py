"""What a job of kind IMAGE is to draw: exactly what the person chose."""

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

from generator.diffusion.spec import SCHEDULERS
from generator.models.checkpoint import Checkpoint
from generator.models.job import Job
from generator.models.preset import StylePreset


class Generation(models.Model):
    """The settings of one request for 1-8 pictures."""

    job = models.OneToOneField(Job, models.CASCADE, primary_key=True, related_name="generation")
    checkpoint = models.ForeignKey(Checkpoint, models.PROTECT, related_name="generations", verbose_name=_("model"))
    prompt = models.TextField(_("prompt"), max_length=2000)
    negative_prompt = models.TextField(_("negative prompt"), max_length=2000, blank=True)
    style = models.ForeignKey(
        StylePreset, models.SET_NULL, null=True, blank=True, related_name="+", verbose_name=_("style")
    )
    format = models.CharField(_("format"), max_length=20, default="square")
    width = models.PositiveSmallIntegerField(_("width"))
    height = models.PositiveSmallIntegerField(_("height"))
    count = models.PositiveSmallIntegerField(
        _("pictures"), default=4, validators=[MinValueValidator(1), MaxValueValidator(8)]
    )
    steps = models.PositiveSmallIntegerField(
        _("steps"), default=20, validators=[MinValueValidator(1), MaxValueValidator(150)]
    )
    guidance = models.FloatField(_("guidance"), default=4.0, validators=[MinValueValidator(0), MaxValueValidator(30)])
    seed = models.BigIntegerField(_("seed"), validators=[MinValueValidator(0), MaxValueValidator(2**32 - 1)])
    scheduler = models.CharField(_("scheduler"), max_length=40, choices=[*SCHEDULERS.items()], default="default")

    class Meta:
        verbose_name = _("generation")
        verbose_name_plural = _("generations")

    def __str__(self) -> str:
        return self.prompt
