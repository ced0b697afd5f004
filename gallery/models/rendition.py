"""What is derived from an original: small versions for pages, and the filmstrip of how it emerged."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from gallery.models.media import Media


def rendition_path(rendition: "Rendition", filename: str) -> str:
    """Beside the originals, by the media's id and the rendition's kind."""
    media = rendition.media_id.hex
    return f"renditions/{media[:2]}/{media}.{rendition.kind}.{filename.rsplit('.', 1)[-1]}"


class Rendition(models.Model):
    """A derived file. Any of them can be made again from the original, except the filmstrip."""

    class Kind(models.TextChoices):
        """What it is for."""

        TILE = "tile", _("Tile")  # longest edge at most 512
        FILMSTRIP = "filmstrip", _("Filmstrip")  # frames side by side, from noise to picture

    media = models.ForeignKey(Media, models.CASCADE, related_name="renditions")
    kind = models.CharField(_("kind"), max_length=12, choices=Kind)
    file = models.FileField(_("file"), upload_to=rendition_path, max_length=120)
    width = models.PositiveIntegerField(_("width"))
    height = models.PositiveIntegerField(_("height"))
    frames = models.PositiveSmallIntegerField(_("frames"), default=1)

    class Meta:
        verbose_name = _("rendition")
        verbose_name_plural = _("renditions")
        constraints = [models.UniqueConstraint(fields=["media", "kind"], name="one_rendition_a_kind")]

    def __str__(self) -> str:
        return f"{self.media_id} · {self.kind}"
