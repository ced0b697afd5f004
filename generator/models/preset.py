"""Style presets: words that people need not write each time."""

from django.db import models
from django.utils.translation import gettext_lazy as _


class StylePresetQuerySet(models.QuerySet["StylePreset"]):
    """Presets by what can draw them."""

    def suiting(self, family: str) -> list["StylePreset"]:
        """Those made for a family of models. Chosen in Python: few rows, and not every database searches in JSON."""
        return [preset for preset in self.filter(is_enabled=True) if family in preset.families]


class StylePreset(models.Model):
    """A look: a template around the prompt, what to avoid, and a picture that shows it."""

    slug = models.SlugField(_("short name"), unique=True)
    name = models.CharField(_("name"), max_length=60)
    template = models.CharField(
        _("template"), max_length=400, default="{prompt}", help_text=_("{prompt} stands for what the person wrote.")
    )
    negative = models.CharField(_("negative prompt"), max_length=400, blank=True)
    families = models.JSONField(
        _("model families"), default=list, help_text=_('Which families draw it well, such as ["starter", "sdxl"].')
    )
    sample = models.CharField(_("sample picture"), max_length=120, blank=True, help_text=_("A static file."))
    order = models.PositiveSmallIntegerField(_("order"), default=0)
    is_enabled = models.BooleanField(_("can be chosen"), default=True)
    objects = StylePresetQuerySet.as_manager()

    class Meta:
        verbose_name = _("style preset")
        verbose_name_plural = _("style presets")
        ordering = ["order", "name"]

    def __str__(self) -> str:
        return self.name

    def apply(self, prompt: str, negative: str) -> tuple[str, str]:
        """The prompt and negative prompt with this look around them."""
        wrapped = (
            self.template.replace("{prompt}", prompt) if "{prompt}" in self.template else f"{prompt}, {self.template}"
        )
        return wrapped, ", ".join(part for part in (negative, self.negative) if part)
