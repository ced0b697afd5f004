"""What a model is taught from a handful of pictures: what was asked for, the pictures with rights, how far it is.

The files of a run (the pictures as they are learned from, states, samples, points) lie in its `folder`, which all
workers and the web server share.
"""

import uuid
from math import ceil
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.models import Team
from accounts.roles import Action
from gallery.models import Media, Upload
from generator.models.checkpoint import Checkpoint
from generator.models.job import FINISHED, Job, State


class TrainingQuerySet(models.QuerySet["Training"]):
    """Trainings as somebody may see or change them."""

    def visible_to(self, user) -> "TrainingQuerySet":
        """Those of the person's teams: what comes of them is the team's."""
        if not (user.is_authenticated and user.is_active):
            return self.none()
        return self.filter(team__in=Team.objects.pks_where(user, Action.VIEW))

    def changeable_by(self, user) -> "TrainingQuerySet":
        """Own ones, where the role makes pictures; everybody's, where it manages jobs."""
        if not (user.is_authenticated and user.is_active):
            return self.none()
        own = Q(owner=user, team__in=Team.objects.pks_where(user, Action.CREATE))
        return self.filter(own | Q(team__in=Team.objects.pks_where(user, Action.MANAGE_JOBS)))


class Training(models.Model):
    """One thing or style that is taught. A job runs it, slice by slice; to go on after an end is another job for it."""

    class Kind(models.TextChoices):
        """What is taught: as train.spec.KINDS, or a whole model."""

        SUBJECT = "subject", _("A subject")
        STYLE = "style", _("A style")
        SCRATCH = "scratch", _("A model from scratch")

    class Method(models.TextChoices):
        """How: train.defaults.METHODS, or all of it for a model from scratch."""

        LORA = "lora", _("LoRA")
        EMBEDDING = "embedding", _("Textual inversion")
        FULL = "full", _("All weights")
        SCRATCH = "scratch", _("All of it")

        @classmethod
        def of_teaching(cls) -> list[tuple[str, str]]:
            """Those to choose from where a model is there already."""
            return [(one.value, one.label) for one in (cls.LORA, cls.EMBEDDING, cls.FULL)]

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    team = models.ForeignKey(Team, models.CASCADE, related_name="trainings", verbose_name=_("team"))
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.CASCADE, related_name="trainings", verbose_name=_("asked by")
    )
    previous = models.ForeignKey(  # a new version of which
        "self", models.SET_NULL, null=True, blank=True, related_name="followers", verbose_name=_("version before")
    )
    version = models.PositiveSmallIntegerField(_("version"), default=1)
    kind = models.CharField(_("kind"), max_length=10, choices=Kind, default=Kind.SUBJECT)
    name = models.CharField(_("name"), max_length=80)
    noun = models.CharField(
        _("kind of thing"), max_length=60, blank=True, help_text=_("Such as bottle or dog: what the model knows.")
    )
    word = models.CharField(_("word"), max_length=40, blank=True)  # what prompts call it by
    method = models.CharField(_("method"), max_length=10, choices=Method, default=Method.LORA)
    checkpoint = models.ForeignKey(Checkpoint, models.PROTECT, related_name="trainings", verbose_name=_("model"))
    changes = models.JSONField(default=dict, blank=True, editable=False)  # of the defaults: fields of its spec
    spec = models.JSONField(default=dict, blank=True, editable=False)  # all of its spec but paths, once started
    base_hash = models.CharField(_("hash of the model"), max_length=64, blank=True, editable=False)

    job = models.OneToOneField(
        Job, models.SET_NULL, null=True, blank=True, related_name="training", verbose_name=_("job")
    )
    drawn = models.PositiveIntegerField(default=0, editable=False)  # pictures that a whole run draws, samples and all
    charged = models.PositiveIntegerField(default=0, editable=False)  # pictures of the owner's day, for its job
    step = models.PositiveIntegerField(_("step"), default=0, editable=False)
    steps = models.PositiveIntegerField(_("steps"), default=0, editable=False)
    begun_at = models.PositiveIntegerField(default=0, editable=False)  # the step that the last slice began with
    loss = models.FloatField(_("loss"), null=True, editable=False)
    step_seconds = models.FloatField(_("seconds a step"), null=True, editable=False)  # with its share of the samples
    spent = models.FloatField(_("seconds spent"), default=0.0, editable=False)
    # Of each kept point: step, validation, likeness, nearest, drift, is_overfitted, samples, others; 0 is "before".
    points = models.JSONField(default=list, blank=True, editable=False)
    proposed = models.PositiveIntegerField(_("proposed point"), null=True, editable=False)
    created = models.DateTimeField(_("created"), default=timezone.now, editable=False)
    objects = TrainingQuerySet.as_manager()

    class Meta:
        verbose_name = _("training")
        verbose_name_plural = _("trainings")
        ordering = ["-created"]
        indexes = [models.Index(fields=["team", "-created"], name="training_of_team")]

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        """Its page."""
        return reverse("generator:training", args=[self.pk])

    @property
    def state(self) -> str:
        """As its job's; "" before it was started for the first time."""
        return self.job.state if self.job else ""

    @property
    def is_scratch(self) -> bool:
        """Whether it begins from nothing; `checkpoint` is then where its text encoder is from."""
        return self.kind == self.Kind.SCRATCH

    @property
    def makes_model(self) -> bool:
        """Whether models come of it, not adapters."""
        return self.is_scratch or self.method == self.Method.FULL

    @property
    def taken(self) -> Any:
        """What came of it: models or adapters."""
        return self.checkpoints if self.makes_model else self.adapters

    @property
    def is_draft(self) -> bool:
        """Whether nothing was computed yet, so that pictures and settings may change."""
        return not self.spec

    @property
    def is_under_way(self) -> bool:
        """Whether it waits, runs or is paused."""
        return bool(self.job) and self.job.state not in FINISHED

    @property
    def is_done(self) -> bool:
        """Whether it was trained to its end."""
        return self.state == State.DONE

    @property
    def folder(self) -> Path:
        """What all workers and the web server see of it: `pictures` as they are learned from, and its `run`."""
        return Path(settings.MODELS_ROOT) / "trainings" / str(self.pk)

    @property
    def run(self) -> Path:
        """The engine's folder."""
        return self.folder / "run"

    @property
    def usable_set(self) -> "models.QuerySet[TrainingPicture]":
        """The pictures of a data set that may be learned from now: neither taken out nor deleted, nor private since."""
        there = self.pictures.filter(removed=None, media__deleted=None).exclude(media=None)
        return there.exclude(media__visibility=Media.Visibility.PRIVATE).order_by("order", "pk")

    def point_file(self, step: int) -> Path:
        """Where what was learned by a kept point lies, of one that makes an adapter."""
        return self.run / "points" / f"step-{step:08d}" / RESULTS[self.Method(self.method)]

    @property
    def log(self) -> Path:
        """Where the engine writes its losses."""
        return self.run / "denoiser" / "log.jsonl" if self.is_scratch else self.run / "log.jsonl"

    @property
    def pictures_left(self) -> int:
        """How many pictures it is still to draw while it learns: class pictures and samples. 0 for a draft."""
        left = 1 - self.step / self.steps if self.steps else 1.0
        return ceil(self.drawn * left)

    @property
    def undrawn(self) -> int:
        """What of the pictures that its job was charged for was never drawn."""
        return min(self.charged, self.pictures_left)

    def point(self, step: int) -> dict[str, Any] | None:
        """What is written down of a kept point."""
        return next((point for point in self.points if point["step"] == step), None)


RESULTS = {Training.Method.LORA: "lora.safetensors", Training.Method.EMBEDDING: "embedding.safetensors"}


def picture_path(picture: "TrainingPicture", filename: str) -> str:
    """Where the file of a picture is kept."""
    end = Path(filename).suffix.lower()[:6]
    return f"trainings/{picture.pk.hex[:2]}/{picture.pk.hex}{end}"


class TrainingPicture(models.Model):
    """One picture that a training learns from, of its own or of the gallery, and who said that it may be used.

    Once it was learned from, it is never quite gone: its row stays, without the file, and names what has learned.
    """

    class People(models.TextChoices):
        """Whether somebody can be recognised, and has said yes to this."""

        NOBODY = "nobody", _("Nobody can be recognised")
        CONSENT = "consent", _("Everybody in it has consented")

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    training = models.ForeignKey(Training, models.CASCADE, related_name="pictures")
    file = models.FileField(_("file"), upload_to=picture_path, max_length=120, blank=True)
    media = models.ForeignKey(
        Media, models.SET_NULL, null=True, blank=True, related_name="learned_as", verbose_name=_("of the gallery")
    )
    name = models.CharField(_("name"), max_length=200)
    order = models.PositiveSmallIntegerField(default=0, editable=False)
    width = models.PositiveIntegerField(_("width"), default=0)
    height = models.PositiveIntegerField(_("height"), default=0)
    problems = models.JSONField(default=list, blank=True)  # {code, severity, words} of each, as train.checks says
    hash = models.CharField(max_length=64, blank=True, editable=False)  # PDQ
    suggested_crop = models.JSONField(null=True, blank=True)  # [left, top, right, bottom] in pixels
    crop = models.JSONField(_("crop"), null=True, blank=True)  # the same; None: all of it
    caption = models.CharField(_("caption"), max_length=400, blank=True)

    rights = models.CharField(_("whose picture it is"), max_length=10, choices=Upload.Whose, blank=True)
    rights_note = models.CharField(_("licence or source"), max_length=300, blank=True)
    people = models.CharField(_("people in it"), max_length=10, choices=People, blank=True)
    stated_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+", verbose_name=_("stated by")
    )
    stated = models.DateTimeField(_("stated"), null=True, blank=True)

    added = models.DateTimeField(_("added"), default=timezone.now, editable=False)
    learned = models.DateTimeField(_("learned from since"), null=True, blank=True, editable=False)
    removed = models.DateTimeField(_("removed"), null=True, blank=True, editable=False)

    class Meta:
        verbose_name = _("picture of a training")
        verbose_name_plural = _("pictures of trainings")
        ordering = ["order", "added"]

    def __str__(self) -> str:
        return self.name

    @property
    def is_usable(self) -> bool:
        """Whether anything can be learned from it."""
        return not any(problem["severity"] == "stop" for problem in self.problems)

    @property
    def is_stated(self) -> bool:
        """Whether somebody has said whose it is, and that whoever is in it agrees."""
        return bool(self.rights and self.people)
