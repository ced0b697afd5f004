"""How a pipeline uses its device's memory: chosen by what is free, changed by wishes, one rung lower when it runs out.

Attention is always PyTorch's own scaled_dot_product_attention, which diffusers chooses by itself.
"""

from __future__ import annotations

import gc
import logging
import os
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from weakref import WeakKeyDictionary

import torch
from diffusers.pipelines.pipeline_utils import DiffusionPipeline
from torch import nn

log = logging.getLogger(__name__)

MIB = 2**20
RESERVE = 1536 * MIB  # for what a picture of 1024 x 1024 needs beside the weights, in half precision
MARGIN = 1.1  # weights on a device take a little more than their numbers
CGROUP = Path("/sys/fs/cgroup")
OFFLOADS = ("", "model", "sequential")


@dataclass(frozen=True)
class Plan:
    """slicing: the VAE decodes picture by picture; tiling: in parts of one; offload: weights wait in the machine's own
    memory and come to the device by the model or by the layer; compile: the blocks that repeat, at the first run."""

    slicing: bool = False
    tiling: bool = False
    offload: str = ""
    channels_last: bool = False
    compile: bool = False
    after_running_out: bool = False

    def __str__(self) -> str:
        """In a few words, for administrators."""
        parts = {
            "VAE in slices": self.slicing,
            "VAE in tiles": self.tiling,
            f"offload by {self.offload}": self.offload,
            "channels last": self.channels_last,
            "compiled": self.compile,
        }
        told = [name for name, is_so in parts.items() if is_so] or ["all on the device"]
        return ", ".join([*told, *(["after it ran out of memory"] if self.after_running_out else [])])


_plans: WeakKeyDictionary[nn.Module, Plan] = WeakKeyDictionary()


def make_plan(weights: int, largest: int, device: torch.device, free: int | None, wishes: Mapping[str, Any]) -> Plan:
    """The plan for so many bytes of weights, of which `largest` in one part, with so many bytes free.

    `wishes` are fields of Plan that stand whatever is free; unknown ones, and values of another kind, are left out.
    """
    plan = Plan(channels_last=device.type == "cuda")
    if device.type == "cuda" and free is not None:
        if MARGIN * weights + RESERVE > free:
            plan = replace(plan, slicing=True, tiling=True, offload="model")
        if MARGIN * largest + RESERVE > free:
            plan = replace(plan, offload="sequential", channels_last=False)
    known = {name: value for name, value in wishes.items() if name in ("slicing", "tiling", "channels_last", "compile")}
    flags: dict[str, Any] = {name: value for name, value in known.items() if isinstance(value, bool)}
    plan = replace(plan, **flags)
    if device.type != "cpu" and wishes.get("offload") in OFFLOADS:
        plan = replace(plan, offload=wishes["offload"])
    return plan


def settle(pipeline: Any, device: torch.device, wishes: Mapping[str, Any]) -> None:
    """Brings a pipeline that was loaded into the machine's memory onto its device, by a plan."""
    parts = [one for one in pipeline.components.values() if isinstance(one, nn.Module)]
    sizes = [sum(tensor.nbytes for tensor in (*one.parameters(), *one.buffers())) for one in parts]
    free = measure(device)[0]
    plan = make_plan(sum(sizes), max(sizes, default=0), device, free or None, wishes)
    _apply(pipeline, plan, device)
    _plans[_denoiser(pipeline)] = plan


def plan_of(pipeline: Any) -> Plan:
    """The plan that a pipeline follows now."""
    return _plans.get(_denoiser(pipeline), Plan())


def step_down(pipeline: Any) -> bool:
    """One rung lower, after running out of memory; False where there is none left."""
    device, plan = torch.device(pipeline._execution_device), plan_of(pipeline)
    if not plan.slicing:
        lower = replace(plan, slicing=True)
    elif not plan.tiling:
        lower = replace(plan, tiling=True)
    elif device.type == "cpu" or plan.offload == OFFLOADS[-1]:
        return False
    else:
        lower = replace(plan, offload=OFFLOADS[OFFLOADS.index(plan.offload) + 1])
    lower = replace(lower, after_running_out=True)
    log.warning("out of memory on %s: going on with %s", device, lower)
    free_caches()
    _apply(pipeline, lower, device)
    _plans[_denoiser(pipeline)] = lower
    return True


def free_caches() -> None:
    """Gives back what nothing refers to any more."""
    gc.collect()
    if torch.cuda.is_available():
        torch.cuda.empty_cache()


def measure(device: torch.device) -> tuple[int, int]:
    """(free, all) bytes of a device's memory; (0, 0) where nobody can tell."""
    if device.type == "cuda":
        free, total = torch.cuda.mem_get_info(device)
        return free, total
    try:
        page = os.sysconf("SC_PAGE_SIZE")
        total = os.sysconf("SC_PHYS_PAGES") * page
        free = _available() or os.sysconf("SC_AVPHYS_PAGES") * page
    except (ValueError, OSError):
        return 0, 0
    if limit := _number(CGROUP / "memory.max"):  # a container's, which may be less than the machine has
        total = min(total, limit)
        free = min(free, max(0, limit - (_number(CGROUP / "memory.current") or 0)))
    return free, total


def _apply(pipeline: DiffusionPipeline | Any, plan: Plan, device: torch.device) -> None:
    vae, denoiser = getattr(pipeline, "vae", None), _denoiser(pipeline)
    for name, is_wanted in (("slicing", plan.slicing), ("tiling", plan.tiling)):
        switch = getattr(vae, f"{'enable' if is_wanted else 'disable'}_{name}", None)
        if switch is not None and (is_wanted or getattr(vae, f"use_{name}", False)):
            switch()
    if plan.channels_last:
        denoiser.to(memory_format=torch.channels_last)
    if plan.offload == "sequential":
        pipeline.remove_all_hooks()
        pipeline.enable_sequential_cpu_offload(device=device)
    elif plan.offload == "model":
        pipeline.enable_model_cpu_offload(device=device)
    else:
        pipeline.to(device)
    if plan.compile and hasattr(denoiser, "compile_repeated_blocks"):
        denoiser.compile_repeated_blocks()


def _denoiser(pipeline: Any) -> Any:
    """What pipelines that share their parts have in common."""
    found = getattr(pipeline, "unet", None) or getattr(pipeline, "transformer", None)
    return (
        found
        if isinstance(found, nn.Module)
        else next(one for one in pipeline.components.values() if isinstance(one, nn.Module))
    )


def _available() -> int | None:
    """Bytes that Linux could give to a program without swapping: more than what is free, since caches can go."""
    try:
        lines = Path("/proc/meminfo").read_text().splitlines()
    except OSError:
        return None
    return next((int(line.split()[1]) * 1024 for line in lines if line.startswith("MemAvailable:")), None)


def _number(path: Path) -> int | None:
    try:
        return int(path.read_text())
    except (OSError, ValueError):  # no control groups here, or "max"
        return None
