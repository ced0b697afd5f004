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

        TILE = "tile", _("Tile")  # longest edge at most 512, there as soon as the picture is
        FILMSTRIP = "filmstrip", _("Filmstrip")  # frames side by side, from noise to picture
        # What browsers choose from, by format and longest edge; the tile stands for the WebP of 512.
        WEBP_256 = "webp-256", "WebP 256"
        WEBP_1024 = "webp-1024", "WebP 1024"
        WEBP_1600 = "webp-1600", "WebP 1600"
        AVIF_256 = "avif-256", "AVIF 256"
        AVIF_512 = "avif-512", "AVIF 512"
        AVIF_1024 = "avif-1024", "AVIF 1024"
        AVIF_1600 = "avif-1600", "AVIF 1600"

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
