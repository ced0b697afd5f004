"""Style presets: words that people need not write each time."""

from typing import TypedDict

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from accounts.models import Team


class Words(TypedDict):
    """What a style adds at one moment of its life; a request keeps it, so that a later change leaves it alone."""

    version: int
    template: str
    negative: str


class StylePresetQuerySet(models.QuerySet["StylePreset"]):
    """Presets by who is offered them and what can draw them."""

    def offered_to(self, team: Team | None) -> "StylePresetQuerySet":
        """The team's own and those that ship, as long as they can be chosen."""
        return self.filter(Q(team=None) | Q(team=team), is_enabled=True)

    def suiting(self, family: str) -> list["StylePreset"]:
        """Those made for a family of models. Chosen in Python: few rows, and not every database searches in JSON."""
        return [preset for preset in self.filter(is_enabled=True) if family in preset.families]


class StylePreset(models.Model):
    """A look: a template around the prompt, what to avoid, and a picture that shows it. Its row: the newest version."""

    team = models.ForeignKey(
        Team,
        models.CASCADE,
        null=True,
        blank=True,
        related_name="styles",
        verbose_name=_("team"),
        help_text=_("Empty: every team is offered it."),
    )
    slug = models.SlugField(_("short name"), unique=True)
    name = models.CharField(_("name"), max_length=60)
    version = models.PositiveIntegerField(_("version"), default=1, editable=False)
    template = models.CharField(
        _("template"), max_length=400, default="{prompt}", help_text=_("{prompt} stands for what the person wrote.")
    )
    negative = models.CharField(_("negative prompt"), max_length=400, blank=True)
    families = models.JSONField(
        _("model families"), default=list, help_text=_('Which families draw it well, such as ["starter", "sdxl"].')
    )
    sample = models.CharField(_("sample picture"), max_length=120, blank=True, help_text=_("A static file."))
    sample_prompt = models.CharField(_("what the sample shows"), max_length=200, default="a red apple")
    sample_job = models.UUIDField(null=True, blank=True, editable=False)  # the job whose picture shows a team's style
    order = models.PositiveSmallIntegerField(_("order"), default=0)
    is_enabled = models.BooleanField(_("can be chosen"), default=True)
    objects = StylePresetQuerySet.as_manager()

    class Meta:
        verbose_name = _("style preset")
        verbose_name_plural = _("style presets")
        ordering = ["order", "name"]

    def __str__(self) -> str:
        return self.name

    @property
    def words(self) -> Words:
        """What it adds as it is now."""
        return {"version": self.version, "template": self.template, "negative": self.negative}

    def apply(self, prompt: str, negative: str) -> tuple[str, str]:
        """The prompt and negative prompt with this look around them."""
        return apply_words(self.words, prompt, negative)


def apply_words(words: Words, prompt: str, negative: str) -> tuple[str, str]:
    """The prompt and negative prompt with a look around them, as it was when it was asked for."""
    template = words["template"]
    wrapped = template.replace("{prompt}", prompt) if "{prompt}" in template else f"{prompt}, {template}"
    return wrapped, ", ".join(part for part in (negative, words["negative"]) if part)


class StyleVersion(models.Model):
    """What a style's words were, and who made them so: to read, and to go back to."""

    style = models.ForeignKey(StylePreset, models.CASCADE, related_name="versions", verbose_name=_("style"))
    number = models.PositiveIntegerField(_("version"))
    template = models.CharField(_("template"), max_length=400)
    negative = models.CharField(_("negative prompt"), max_length=400, blank=True)
    made_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")
    created = models.DateTimeField(_("created"), auto_now_add=True)

    class Meta:
        verbose_name = _("version of a style")
        verbose_name_plural = _("versions of styles")
        ordering = ["-number"]
        constraints = [models.UniqueConstraint(fields=["style", "number"], name="one_version_a_number")]

    def __str__(self) -> str:
        return f"{self.style} {self.number}"
