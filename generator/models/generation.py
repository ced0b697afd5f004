"""What a job of kind IMAGE is to draw: exactly what the person chose."""

import hashlib
import json
import uuid

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

from gallery.models import Media
from generator.diffusion.spec import SCHEDULERS
from generator.diffusion.ways.spec import DRAWLESS, FROM_PICTURE
from generator.models.checkpoint import Checkpoint
from generator.models.job import Job
from generator.models.preset import StylePreset


def mask_path(generation: "Generation", filename: str) -> str:
    """Where a mask is kept: under a new name, since a retry keeps the mask of the job before."""
    name = uuid.uuid4().hex
    return f"masks/{name[:2]}/{name}.png"


def _picture(label: str) -> models.ForeignKey:
    # A job that waits must not keep a picture from being deleted for good: it then fails, and says why.
    return models.ForeignKey(Media, models.SET_NULL, null=True, blank=True, related_name="+", verbose_name=label)


class Generation(models.Model):
    """The settings of one request for 1-8 pictures."""

    job = models.OneToOneField(Job, models.CASCADE, primary_key=True, related_name="generation")
    way = models.CharField(_("way"), max_length=20, choices=Media.Way, default=Media.Way.TEXT)
    # Where a way draws nothing: the model of the picture that it starts from, whose licence goes on to hold.
    checkpoint = models.ForeignKey(Checkpoint, models.PROTECT, related_name="generations", verbose_name=_("model"))
    prompt = models.TextField(_("prompt"), max_length=2000)
    title = models.CharField(_("title"), max_length=120, blank=True)  # of a row of a table; its pictures get it
    negative_prompt = models.TextField(_("negative prompt"), max_length=2000, blank=True)
    style = models.ForeignKey(
        StylePreset, models.SET_NULL, null=True, blank=True, related_name="+", verbose_name=_("style")
    )
    style_words = models.JSONField(_("words of the style"), default=dict, blank=True)  # preset.Words, as then
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
    adapters = models.JSONField(
        _("adapters"), default=list, blank=True
    )  # {slug, name, kind, weight, word, hash} of each
    scheduler = models.CharField(_("scheduler"), max_length=40, choices=[*SCHEDULERS.items()], default="default")

    source = _picture(_("made from"))
    strength = models.FloatField(_("strength"), default=0.6)
    mask = models.FileField(_("mask"), upload_to=mask_path, max_length=120, blank=True)  # white is made anew
    feather = models.PositiveSmallIntegerField(_("feather"), default=8)
    extend = models.JSONField(_("margins"), default=dict, blank=True)  # left, top, right, bottom in pixels; see spot
    variation_seed = models.BigIntegerField(_("seed of the variation"), null=True, blank=True)
    variation_amount = models.FloatField(_("amount of variation"), null=True, blank=True)
    factor = models.PositiveSmallIntegerField(_("times as large"), default=1)
    structure = _picture(_("structure from"))
    structure_kind = models.CharField(_("kind of structure"), max_length=12, blank=True)
    structure_scale = models.FloatField(_("weight of the structure"), default=1.0)
    reference = _picture(_("subject and style from"))
    reference_scale = models.FloatField(_("weight of the reference"), default=0.6)

    # What a worker has to do: pixels at each step, steps in all. 0: as many as width, height and steps say.
    work_pixels = models.PositiveIntegerField(default=0, editable=False)
    work_steps = models.PositiveIntegerField(default=0, editable=False)

    class Meta:
        verbose_name = _("generation")
        verbose_name_plural = _("generations")

    def __str__(self) -> str:
        return self.prompt

    @property
    def draws(self) -> bool:
        """Whether a model draws: upscaling and cutting out need none."""
        return self.way not in DRAWLESS

    @property
    def loads(self) -> str:
        """What a worker needs in memory, as Job.loads: nothing to speak of where nothing is drawn."""
        return self.checkpoint.slug if self.draws else ""

    @property
    def paced_by(self) -> str:
        """Under which name its duration is learned, as StepTime.loads."""
        return self.checkpoint.slug if self.draws else self.way

    @property
    def work(self) -> tuple[int, int]:
        """(pixels at each step, steps in all) of one picture."""
        return self.work_pixels or self.width * self.height, self.work_steps or self.steps

    @property
    def alike(self) -> str:
        """As Job.alike: the same for all that one call of the engine can make together, "" for what it makes alone.

        Prompts and seeds may differ. A family may need another call where there is some negative prompt.
        """
        if self.way != Media.Way.TEXT or self.structure_id or self.reference_id or self.variation_seed is not None:
            return ""
        drawn_by = [self.checkpoint_id, self.checkpoint.source, self.checkpoint.weights_hash, self.scheduler]
        worn = sorted([one["slug"], one["hash"], one["weight"], one["word"]] for one in self.adapters)
        is_negative = bool(self.negative_prompt or (self.style_words or {}).get("negative"))
        same = [drawn_by, worn, self.width, self.height, self.steps, self.guidance, is_negative]
        return hashlib.blake2b(json.dumps(same).encode(), digest_size=16).hexdigest()

    @property
    def made_from(self) -> uuid.UUID | None:
        """The picture that its pictures descend from."""
        return self.source_id or self.structure_id or self.reference_id

    @property
    def spot(self) -> dict[str, int]:
        """Where a thing lies around which everything is made anew, as services.scenes.Spot; {}: there is none."""
        return self.extend if self.way == Media.Way.INPAINT else {}

    @property
    def lacks_its_picture(self) -> bool:
        """Whether what it is to start from was deleted for good while it waited."""
        return self.way in FROM_PICTURE and self.source_id is None
