"""How a team shows itself to people outside."""

import uuid

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.models import Team


def logo_path(brand: "Brand", filename: str) -> str:
    """By the team's id, so that no name from outside ever becomes a path."""
    return f"brands/{brand.team_id.hex}.{filename.rsplit('.', 1)[-1]}"


class Brand(models.Model):
    """The name and the mark on a team's public pages. A team without a row shows its own name."""

    team = models.OneToOneField(Team, models.CASCADE, primary_key=True, related_name="brand")
    name = models.CharField(_("name on public pages"), max_length=80, blank=True)
    logo = models.FileField(_("logo"), upload_to=logo_path, max_length=120, blank=True)
    colours = models.JSONField(_("colours"), default=list, blank=True)  # [{"name", "hex"}], in their order

    class Meta:
        verbose_name = _("brand")
        verbose_name_plural = _("brands")

    def __str__(self) -> str:
        return self.name or str(self.team)


def font_path(font: "BrandFont", filename: str) -> str:
    """By its own id."""
    return f"brands/{font.pk.hex}.{filename.rsplit('.', 1)[-1]}"


class BrandFont(models.Model):
    """A typeface that a team writes with, and the licence under which it may."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    team = models.ForeignKey(Team, models.CASCADE, related_name="fonts", verbose_name=_("team"))
    name = models.CharField(_("name"), max_length=120)  # as the file itself says
    licence = models.CharField(_("licence"), max_length=200)
    file = models.FileField(_("file"), upload_to=font_path, max_length=120)
    added = models.DateTimeField(default=timezone.now)

    class Meta:
        verbose_name = _("brand font")
        verbose_name_plural = _("brand fonts")
        ordering = ["name", "added"]

    def __str__(self) -> str:
        return self.name
