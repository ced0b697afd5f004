"""What this worker can do, as it tells the queue. Imports torch: for workers only, inside a task's body."""

import tomllib
from functools import cache
from typing import Any

import diffusers
import torch
from django.conf import settings

from generator import runner
from generator.families import PIPELINES
from generator.models import Checkpoint, Job

MIB = 2**20


def describe() -> dict[str, Any]:
    """The fields of this worker's row that do not change while it runs."""
    device, dtype = runner.pipelines.choose_device()
    return {
        "device": runner.pipelines.describe_device(device, dtype),
        "dtype": runner.pipelines.name_dtype(dtype),
        "memory": memory()[1],
        "kinds": settings.WORKER_KINDS or [Job.Kind.IMAGE, Job.Kind.TRAIN, Job.Kind.IMPORT],
        "version": f"{version()}, torch {torch.__version__}",
    }


def families() -> list[str]:
    """What it was told to take, else all that the installed diffusers draws and all that nobody knows better."""
    if settings.WORKER_FAMILIES:
        return settings.WORKER_FAMILIES
    known = {*dir(diffusers)}  # names only: the pipelines themselves load when they are first used
    drawn = [family for family, pipeline in PIPELINES.items() if pipeline in known]
    asked = Checkpoint.objects.enabled().order_by("family").values_list("family", flat=True).distinct()
    return [*drawn, *(family for family in asked if family not in PIPELINES)]


def memory() -> tuple[int, int]:
    """(free, all) of the device that pictures are made on, in MiB; (0, 0) where nobody can tell."""
    device, _dtype = runner.pipelines.choose_device()
    free, total = runner.pipelines.memory.measure(device)
    return free // MIB, total // MIB


@cache
def version() -> str:
    """Of Atelier, as the checkout says."""
    with (settings.BASE_DIR / "pyproject.toml").open("rb") as file:
        return str(tomllib.load(file)["project"]["version"])
