"""Making, in the admin."""

from generator.admin import assets, catalogue, holds, intakes, jobs, trainings, workers

__all__ = ["assets", "catalogue", "holds", "intakes", "jobs", "trainings", "workers"]
