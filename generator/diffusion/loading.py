"""A folder or file that was looked over -> its pipeline, by diffusers' own loaders; pipelines.py keeps it warm."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Any

import diffusers
import torch
from diffusers.pipelines.pipeline_utils import DiffusionPipeline
from safetensors.torch import load_file

from generator.diffusion import checkpoints
from generator.diffusion.spec import CheckpointError

PREFIX = "model.diffusion_model."  # before a denoiser's names where a file may hold more than it


def from_folder(folder: Path, dtype: torch.dtype, **parts: Any) -> DiffusionPipeline:
    """The pipeline of a diffusers folder; `parts` that are there already are not read."""
    settings = {**_settings(folder, dtype), **dict.fromkeys(checkpoints.absent_parts(folder)), **parts}
    pipeline: DiffusionPipeline = DiffusionPipeline.from_pretrained(str(folder), trust_remote_code=False, **settings)
    return pipeline


def from_file(file: Path, dtype: torch.dtype) -> DiffusionPipeline:
    """The pipeline of one file with the original's names. What the file lacks comes from its configuration folder.

    Raises CheckpointError where something is in neither, and what diffusers raises for a broken file.
    """
    try:
        pipeline = _read(file, dtype)
        parts = [part for part in pipeline.components.values() if isinstance(part, torch.nn.Module)]
        whole = not any(weight.is_meta for part in parts for weight in part.parameters())
    except NotImplementedError:  # torch's, on a weight that is still without numbers
        whole = False
    if not whole:
        raise CheckpointError(
            f"“{file}” cannot be read as one file: it lacks weights that its configuration asks for, "
            "or names them in its own way. Use its diffusers folder."
        )
    return pipeline


def _read(file: Path, dtype: torch.dtype) -> DiffusionPipeline:
    folder = checkpoints.find_config(file)
    if folder is None:
        return _by_the_hub(file, dtype)
    class_name = checkpoints.check_folder(folder)
    index = checkpoints.parts(folder)
    lacking = checkpoints.lacking(file, index)
    if empty := [name for name in lacking if not checkpoints.weights_of(folder, name)]:
        raise CheckpointError(
            f"“{file}” holds no {_and(empty)}, and neither does its configuration. "
            f"Put the weights of each into its folder in “{folder}”, as .safetensors."
        )
    if lacking == checkpoints.beside_the_denoiser(index):
        return from_folder(folder, dtype, **_denoiser(file, folder, dtype))
    rest = {
        name: _class_of(index[name]).from_pretrained(str(folder / name), **_settings(folder, dtype)) for name in lacking
    }
    absent = dict.fromkeys(checkpoints.absent_parts(folder))
    return _whole(file, class_name, dtype, config=str(folder), local_files_only=True, **absent, **rest)


def _by_the_hub(file: Path, dtype: torch.dtype) -> DiffusionPipeline:
    """diffusers tells the well-known families by their weights, and the hub has their configuration, but no weights."""
    hub_id = checkpoints.guess_family(file)
    try:
        index: Any = DiffusionPipeline.load_config(hub_id)  # a dict; its annotation covers other ways to call it
        class_name = str(index["_class_name"])
    except Exception as error:
        raise CheckpointError(
            f"“{file}” looks like {hub_id}, whose configuration is not here and could not be had from the hub. "
            f"Put its diffusers configuration into the folder “{file.with_suffix('')}”."
        ) from error
    if lacking := checkpoints.lacking(file, index):
        raise CheckpointError(
            f"“{file}” looks like {hub_id}, but holds no {_and(lacking)}. Put that diffusers folder beside it, "
            f"as “{file.with_suffix('')}”; the weights of its {checkpoints.denoiser(index)} may be left out."
        )
    return _whole(file, class_name, dtype, config=hub_id)


def _whole(file: Path, class_name: str, dtype: torch.dtype, **settings: Any) -> DiffusionPipeline:
    pipeline_class = getattr(diffusers, class_name)
    if not hasattr(pipeline_class, "from_single_file"):
        raise CheckpointError(
            f"A whole {class_name} cannot be loaded from a single file: "
            "use its diffusers folder, or a file with nothing but its transformer."
        )
    pipeline: DiffusionPipeline = pipeline_class.from_single_file(str(file), dtype=dtype, **settings)
    return pipeline


def _denoiser(file: Path, folder: Path, dtype: torch.dtype) -> dict[str, torch.nn.Module]:
    """The one part that a file holds, by its name in the pipeline."""
    index = checkpoints.parts(folder)
    name = checkpoints.denoiser(index)
    part_class = _class_of(index[name])
    if not hasattr(part_class, "from_single_file"):
        raise CheckpointError(f"A {part_class.__name__} cannot be loaded from a single file: use its diffusers folder.")
    tensors = load_file(file)
    if name == "transformer":  # a UNet is read by this prefix, and not all of the transformers with it
        tensors = {key.removeprefix(PREFIX): tensor for key, tensor in tensors.items()}
    part = part_class.from_single_file(tensors, config=str(folder), subfolder=name, dtype=dtype, local_files_only=True)
    return {name: part}


def _class_of(part: list[str]) -> Any:
    library, class_name = part  # one of checkpoints.LIBRARIES, which check_folder saw to
    return getattr(importlib.import_module(library), class_name)


def _settings(folder: Path, dtype: torch.dtype) -> dict[str, Any]:
    variant = checkpoints.pick_variant(folder, half=dtype != torch.float32)
    return {"dtype": dtype, "variant": variant, "use_safetensors": True, "local_files_only": True}


def _and(names: list[str]) -> str:
    return " and no ".join(names)
