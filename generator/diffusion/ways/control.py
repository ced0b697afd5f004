"""Structure from a picture, by ControlNet (Zhang et al. 2023, arXiv:2302.05543)."""

from __future__ import annotations

import inspect
import json
from collections import OrderedDict
from pathlib import Path
from typing import Any
from weakref import WeakKeyDictionary

import diffusers
import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812 (its name wherever torch is written)
from diffusers.pipelines.pipeline_utils import DiffusionPipeline
from PIL import Image, ImageFilter, ImageOps
from torch import Tensor

from generator.diffusion import checkpoints
from generator.diffusion.spec import CheckpointError, ImageSpec, SpecError
from generator.diffusion.ways.image import fit

# A pipeline that draws from text -> the one that also follows a ControlNet, and the class of that.
LED = {
    "StableDiffusionPipeline": ("StableDiffusionControlNetPipeline", "ControlNetModel"),
    "StableDiffusionXLPipeline": ("StableDiffusionXLControlNetPipeline", "ControlNetModel"),
    "StableDiffusion3Pipeline": ("StableDiffusion3ControlNetPipeline", "SD3ControlNetModel"),
    "LatentConsistencyModelPipeline": ("StableDiffusionControlNetPipeline", "ControlNetModel"),
    "SanaPipeline": ("SanaControlNetPipeline", "SanaControlNetModel"),
    "FluxPipeline": ("FluxControlNetPipeline", "FluxControlNetModel"),
    "QwenImagePipeline": ("QwenImageControlNetPipeline", "QwenImageControlNetModel"),
}
KEPT = 2  # ControlNets beside each warm pipeline
# Canny's thresholds, as parts of the steepest edge, and its blur in pixels.
WEAK, STRONG, BLUR = 0.1, 0.25, 1.4

_kept: WeakKeyDictionary[DiffusionPipeline, OrderedDict[tuple[str, int | None], DiffusionPipeline]]
_kept = WeakKeyDictionary()


def led(pipeline: Any, model: str) -> Any:
    """The pipeline that shares all parts of a warm one and follows the ControlNet in the folder `model` as well.

    Raises SpecError for a family that follows none, CheckpointError for a folder that holds none for it.
    """
    if type(pipeline).__name__ not in LED:
        raise SpecError("This model cannot follow a structure. Choose another one.")
    nets = _kept.setdefault(pipeline, OrderedDict())
    key = (model, _stamp(model))
    if key not in nets:
        class_name, net_class = LED[type(pipeline).__name__]
        net = _load(getattr(diffusers, net_class), Path(model), pipeline)
        whole = getattr(diffusers, class_name)
        taken = inspect.signature(whole.__init__).parameters
        parts = {name: part for name, part in pipeline.components.items() if name in taken}
        more = {"requires_safety_checker": False} if "requires_safety_checker" in taken else {}
        nets[key] = whole(**parts, controlnet=net, **more)
        nets[key].set_progress_bar_config(disable=True)
        while len(nets) > KEPT:
            nets.popitem(last=False)
    nets.move_to_end(key)
    return nets[key]


def _stamp(model: str) -> int | None:
    config = Path(model) / "config.json"
    return config.stat().st_mtime_ns if config.is_file() else None


def check(folder: Path) -> None:
    """Raises CheckpointError unless the folder says that it holds a ControlNet for one of the families."""
    known = {net_class for _pipeline, net_class in LED.values()}
    try:
        config = json.loads((folder / "config.json").read_text())
        is_known = config.get("_class_name") in known
    except (OSError, ValueError, AttributeError):
        is_known = False
    if not is_known:
        raise CheckpointError(f"“{folder}” is no diffusers folder of a ControlNet.")


def _load(net_class: Any, folder: Path, pipeline: Any) -> Any:
    if not (folder / "config.json").is_file():
        raise CheckpointError(f"“{folder}” is no diffusers folder of a ControlNet.")
    for file in folder.glob("*.safetensors"):
        checkpoints.check_file(file)
    try:
        net = net_class.from_pretrained(
            str(folder), torch_dtype=pipeline.dtype, use_safetensors=True, local_files_only=True
        )
    except Exception as error:
        raise CheckpointError(f"“{folder}” could not be loaded as a ControlNet for this model: {error}") from error
    return net.eval().to(pipeline.device)


def arguments(spec: ImageSpec, pipeline: Any) -> dict[str, Any]:
    """What to pass to a led pipeline."""
    structure = spec.structure
    assert structure is not None
    taken = inspect.signature(pipeline.__call__).parameters
    shown = read(fit(structure.image, (spec.width, spec.height)), structure.kind)  # type: ignore[arg-type]
    wanted = {
        "control_image" if "control_image" in taken else "image": shown,
        "controlnet_conditioning_scale": float(structure.scale),
        "control_guidance_end": float(structure.until),
    }
    return {name: value for name, value in wanted.items() if name in taken}


def read(image: Image.Image, kind: str) -> Image.Image:
    """What a ControlNet of that kind is shown of a picture, RGB: its edges; a scribble in white on black; depths."""
    if kind == "edges":
        return edges(image)
    grey = image.convert("L")
    if kind == "scribble" and np.asarray(grey).mean() > 127:
        grey = ImageOps.invert(grey)  # drawn in black on white, as people do
    return grey.convert("RGB")


def edges(image: Image.Image) -> Image.Image:
    """White lines one pixel wide on black, by Canny's detector (1986)."""
    grey = np.asarray(image.convert("L").filter(ImageFilter.GaussianBlur(BLUR)), np.float32)
    values = torch.from_numpy(grey)[None, None]
    values = F.pad(values, (1, 1, 1, 1), mode="replicate")
    sobel = torch.tensor([[-1.0, 0.0, 1.0], [-2.0, 0.0, 2.0], [-1.0, 0.0, 1.0]])
    across, down = (F.conv2d(values, kernel[None, None])[0, 0] for kernel in (sobel, sobel.T))
    steep = torch.hypot(across, down)
    thin = torch.where(_is_ridge(steep, torch.atan2(down, across)), steep, 0)
    most = thin.max()
    if most < 1e-3:
        return Image.new("RGB", image.size)
    found = _grown((thin > STRONG * most).float(), (thin > WEAK * most).float())
    return Image.fromarray((found.numpy() * 255).astype(np.uint8)).convert("RGB")


def _is_ridge(steep: Tensor, angle: Tensor) -> Tensor:
    """Whether each pixel is at least as steep as its two neighbours uphill and downhill."""
    around = F.pad(steep[None, None], (1, 1, 1, 1))[0, 0]
    height, width = steep.shape

    def neighbour(dy: int, dx: int) -> Tensor:
        return around[1 + dy : 1 + dy + height, 1 + dx : 1 + dx + width]

    sector = (torch.round(angle / (torch.pi / 4)) % 4).long()
    ridge = torch.zeros_like(steep, dtype=torch.bool)
    for number, (dy, dx) in enumerate(((0, 1), (1, 1), (1, 0), (1, -1))):
        is_top = (steep >= neighbour(dy, dx)) & (steep > neighbour(-dy, -dx))
        ridge |= (sector == number) & is_top
    return ridge


def _grown(strong: Tensor, weak: Tensor) -> Tensor:
    """Strong edges, and weak ones that hang together with them."""
    while True:
        grown = F.max_pool2d(strong[None, None], 3, 1, 1)[0, 0] * weak
        if torch.equal(grown, strong * weak):
            return grown
        strong = grown
