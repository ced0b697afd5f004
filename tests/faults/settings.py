"""The settings of an installation whose disk cannot be made small: only where pictures go is another."""

from config.settings import *  # noqa: F403

STORAGES = {**STORAGES, "default": {"BACKEND": "tests.faults.standins.SmallStorage"}}  # noqa: F405
