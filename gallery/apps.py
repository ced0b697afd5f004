from django.apps import AppConfig
from django.db.models.signals import post_migrate
from django.utils.translation import gettext_lazy as _

from accounts.signals import team_closed


class GalleryConfig(AppConfig):
    name = "gallery"
    verbose_name = _("Gallery")

    def ready(self) -> None:
        """Clears up after teams that are gone; keeps SQLite's index of words."""
        from gallery.fulltext import keep_index
        from gallery.services.closing import trash_all_of

        post_migrate.connect(keep_index, sender=self, dispatch_uid="gallery.words")
        team_closed.connect(lambda team, **kwargs: trash_all_of(team), weak=False, dispatch_uid="gallery")
