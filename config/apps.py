"""Makes the project itself an app, for its management commands and the policy of the admin pages."""

from django.apps import AppConfig


class AtelierConfig(AppConfig):
    name = "config"
    label = "atelier"
    verbose_name = "Atelier"

    def ready(self) -> None:
        """What listens to signals has to be there before the first one."""
        from config import beat  # noqa: F401
