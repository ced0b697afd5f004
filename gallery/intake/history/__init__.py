"""Settings that other studios write into their pictures, read into a recipe of ours."""

from gallery.intake.history.found import read_history

__all__ = ["read_history"]
