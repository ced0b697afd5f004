"""Keeping, as administrators see it."""

from gallery.admin import deliveries, pictures, team_work

__all__ = ["deliveries", "pictures", "team_work"]
