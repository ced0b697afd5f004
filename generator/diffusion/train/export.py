"""What was learned as files that diffusers, A1111, ComfyUI and InvokeAI read, and what these files say of themselves.

One layout each. LoRAs of UNets: kohya's keys over diffusers' names of blocks, with alpha; all four read them, and
diffusers itself. LoRAs of transformers: diffusers' own keys, α/r multiplied into B, as ComfyUI and InvokeAI read them.
Embeddings: one tensor by the word; two as clip_l and clip_g (SDXL), or clip_l and t5 (FLUX).
"""

from __future__ import annotations

import copy
import json
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file
from torch import Tensor

from generator.diffusion import pipelines
from generator.diffusion.train import families
from generator.diffusion.train.prepared import Prepared
from generator.diffusion.train.spec import FinetuneSpec, Lineage

LORA, EMBEDDING = "lora.safetensors", "embedding.safetensors"
# modelspec.architecture (Stability AI's specification 1.0.0) and kohya's name of a base.
ARCHITECTURES = {
    "starter": ("atelier-starter", "atelier_starter"),
    "sd1": ("stable-diffusion-v1", "sd_v1"),
    "sd2": ("stable-diffusion-v2-768-v", "sd_v2_768_v"),
    "sdxl": ("stable-diffusion-xl-v1-base", "sdxl_base_v1-0"),
    "sd3": ("stable-diffusion-3", "sd3"),
    "flux": ("flux-1-dev", "flux1"),
}
KINDS = {"lora": "lora", "embedding": "textual-inversion"}


def describe(spec: FinetuneSpec, prepared: Prepared, lineage: Lineage, step: int) -> dict[str, str]:
    """The metadata of a file, as modelspec and kohya name it; nothing in it changes from run to run of one spec."""
    architecture, base = ARCHITECTURES[spec.family]
    kind = KINDS.get(spec.method, "")
    tags = Counter(caption for caption in prepared.captions if caption and caption not in spec.priors)
    said = {
        "modelspec.sai_model_spec": "1.0.0",
        "modelspec.title": spec.name,
        "modelspec.architecture": f"{architecture}/{kind}" if kind else architecture,
        "modelspec.implementation": "diffusers",
        "modelspec.trigger_phrase": spec.called if spec.kind == "subject" else spec.word,
        "modelspec.resolution": f"{spec.size}x{spec.size}",
        "modelspec.license": lineage.licence,
        "modelspec.author": lineage.author,
        "ss_output_name": spec.name,
        "ss_base_model_version": base,
        "ss_sd_model_name": lineage.base,
        "ss_new_sd_model_hash": lineage.base_hash,
        "ss_resolution": f"({spec.size}, {spec.size})",
        "ss_num_train_images": str(len(prepared.names)),
        "ss_num_reg_images": str(spec.prior_pictures if spec.has_prior else 0),
        "ss_steps": str(step),
        "ss_max_train_steps": str(spec.steps),
        "ss_learning_rate": str(spec.learning_rate),
        "ss_seed": str(spec.seed),
        "ss_tag_frequency": json.dumps({spec.word: tags}),
        "ss_min_snr_gamma": str(spec.min_snr or None),
        "atelier.data_hash": prepared.data_hash,
        "atelier.license_url": lineage.licence_url,
    }
    if spec.method == "lora":
        said |= {
            "ss_network_module": "networks.lora",
            "ss_network_dim": str(spec.rank),
            "ss_network_alpha": str(spec.alpha),
        }
    return {name: value for name, value in said.items() if value}


def save_lora(
    state: Mapping[str, Tensor], family: str, alpha: float, scale: float, folder: Path, metadata: Mapping[str, str]
) -> Path:
    """peft's state of a denoiser -> `folder/lora.safetensors`, float32. scale is α/r."""
    is_transformer = family in ("sd3", "flux")
    tensors: dict[str, Tensor] = {}
    for name, value in state.items():
        module, end = name.rsplit(".lora_", 1)
        weight = value.detach().float().cpu().contiguous()
        if is_transformer:
            tensors[f"transformer.{name}"] = weight * scale if end.startswith("B") else weight
            continue
        flat = f"lora_unet_{module.replace('.', '_')}"
        tensors[f"{flat}.lora_{'down' if end.startswith('A') else 'up'}.weight"] = weight
        tensors[f"{flat}.alpha"] = torch.tensor(float(alpha))
    return _write(tensors, folder / LORA, metadata)


def save_embedding(
    vectors: Sequence[Tensor], family: str, word: str, folder: Path, metadata: Mapping[str, str]
) -> Path:
    """[vectors, width] for each text encoder -> `folder/embedding.safetensors`, float32."""
    names = {"sdxl": ("clip_l", "clip_g"), "flux": ("clip_l", "t5")}.get(family, (word,))
    tensors = {name: one.float().cpu().contiguous() for name, one in zip(names, vectors, strict=True)}
    return _write(tensors, folder / EMBEDDING, metadata)


def save_denoiser(model: Any, dtype: torch.dtype, folder: Path) -> Path:
    """A denoiser's weights as diffusers' folder, rounded to what its checkpoint has."""
    named = {name: tensor.detach().to("cpu", dtype) for name, tensor in model.state_dict().items()}
    folder.mkdir(parents=True, exist_ok=True)
    model.save_config(folder)
    save_file(named, folder / "diffusion_pytorch_model.safetensors", metadata={"format": "pt"})
    return folder


def _write(tensors: Mapping[str, Tensor], file: Path, metadata: Mapping[str, str]) -> Path:
    file.parent.mkdir(parents=True, exist_ok=True)
    save_file(dict(tensors), file, metadata={"format": "pt", **metadata})
    return file


def save_checkpoint(point: Path, checkpoint: str, target: Path) -> Path:
    """All weights of a point as a whole checkpoint in `target`: its denoiser, and all else of the one it began from."""
    pipeline: Any = copy.copy(pipelines.load(checkpoint))
    name = families.denoiser_name(pipeline)
    own = families.denoiser_of(pipeline)
    pipeline.register_modules(**{name: type(own).from_pretrained(point / name, dtype=own.dtype)})
    pipeline.save_pretrained(target)
    return target
