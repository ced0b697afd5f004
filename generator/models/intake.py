"""Models on their way in: from where, as what, and how far."""

import uuid

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from generator.models.asset import Adapter, CommercialUse
from generator.models.checkpoint import Checkpoint
from generator.models.job import Job


class Intake(models.Model):
    """One model that is brought in. A job fetches, checks and places it; a retry is another job for the same row."""

    class Origin(models.TextChoices):
        """Where the files come from."""

        HUB = "hub", _("A hub, by its id")
        PATH = "path", _("A folder or file on the server")
        UPLOAD = "upload", _("A file from this computer")

    class Kind(models.TextChoices):
        """What it is to be."""

        MODEL = "model", _("Model")
        LORA = "lora", _("LoRA")
        EMBEDDING = "embedding", _("Embedding")
        CONTROLNET = "controlnet", _("ControlNet")
        IP_ADAPTER = "ip-adapter", _("IP-Adapter")
        UPSCALER = "upscaler", _("Upscaler")

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    job = models.OneToOneField(
        Job, models.SET_NULL, null=True, blank=True, related_name="intake", verbose_name=_("job")
    )
    origin = models.CharField(_("from"), max_length=10, choices=Origin)
    place = models.CharField(
        _("place"),
        max_length=400,
        help_text=_("A hub id such as “maker/model”; or a path below the folder that models may be taken from."),
    )
    revision = models.CharField(_("revision"), max_length=64, blank=True, help_text=_("Of a hub; empty: the newest."))
    kind = models.CharField(_("kind"), max_length=12, choices=Kind, default=Kind.MODEL)
    name = models.CharField(_("name"), max_length=80)
    family = models.CharField(_("family"), max_length=40, blank=True, help_text=_("Empty: as its files say."))
    word = models.CharField(_("word"), max_length=60, blank=True, help_text=_("Of an embedding."))
    structure = models.CharField(
        _("structure"), max_length=20, blank=True, choices=Adapter.Structure, help_text=_("Of a ControlNet.")
    )
    licence_name = models.CharField(_("licence"), max_length=120, blank=True, help_text=_("Empty: as its files say."))
    licence_url = models.URLField(_("licence text"), blank=True)
    commercial_use = models.CharField(
        _("commercial use"), max_length=12, choices=CommercialUse, default=CommercialUse.NO
    )
    size = models.PositiveBigIntegerField(_("size (bytes)"), default=0)  # of all files, once that is known
    done = models.PositiveBigIntegerField(_("bytes done"), default=0)
    stage = models.CharField(_("stage"), max_length=80, blank=True)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+", verbose_name=_("asked by"))
    checkpoint = models.ForeignKey(Checkpoint, models.SET_NULL, null=True, blank=True, related_name="+")
    adapter = models.ForeignKey(Adapter, models.SET_NULL, null=True, blank=True, related_name="+")
    created = models.DateTimeField(_("asked"), auto_now_add=True)

    class Meta:
        verbose_name = _("import of a model")
        verbose_name_plural = _("imports of models")
        ordering = ["-created"]

    def __str__(self) -> str:
        return f"{self.name} ({self.place})"

    @property
    def percent(self) -> int:
        """How far it is."""
        return min(100, round(100 * self.done / self.size)) if self.size else 0
