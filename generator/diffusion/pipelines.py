"""Checkpoint -> warm pipeline. A checkpoint is a hub id, a diffusers folder or a single .safetensors file.

Nothing a checkpoint brings is ever run: checkpoints.py looks it over first, and weights are safetensors only.
"""

from __future__ import annotations

import gc
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path
from threading import Lock
from typing import Any

import diffusers
import torch
import transformers
from diffusers.pipelines.pipeline_utils import DiffusionPipeline

from generator.diffusion import checkpoints
from generator.diffusion.spec import CheckpointError

# Two, so that a team which goes back and forth between a quick and a fine model pays for loading each once.
MAX_WARM = 2

_Key = tuple[str, int | None, torch.device, torch.dtype]
_warm: OrderedDict[_Key, DiffusionPipeline] = OrderedDict()
_lock = Lock()

# The engine prints nothing: no bars while loading, and no log lines about optional packages that are not installed.
for _library in (diffusers, transformers):
    _library.utils.logging.disable_progress_bar()
    _library.utils.logging.set_verbosity_error()


def choose_device(
    device: str | torch.device | None = None, dtype: torch.dtype | None = None
) -> tuple[torch.device, torch.dtype]:
    """The device and the dtype to run on: what was asked for, else the best there is.

    CUDA works in bfloat16, or float16 where it has no bfloat16; Apple's MPS in float16; a CPU in float32, which is the
    fastest there and the only one whose pictures do not depend on the batch they were made in.
    """
    if device is None:
        device = "cuda" if torch.cuda.is_available() else "mps" if torch.backends.mps.is_available() else "cpu"
    device = torch.device(device)
    if dtype is None:
        if device.type == "cuda":
            dtype = torch.bfloat16 if torch.cuda.is_bf16_supported(including_emulation=False) else torch.float16
        else:
            dtype = torch.float16 if device.type == "mps" else torch.float32
    return device, dtype


def describe_device(device: torch.device, dtype: torch.dtype) -> str:
    """ "cuda (NVIDIA H200), bfloat16": for logs and for people."""
    model = f" ({torch.cuda.get_device_name(device)})" if device.type == "cuda" else ""
    return f"{device}{model}, {name_dtype(dtype)}"


def name_dtype(dtype: torch.dtype) -> str:
    """torch.float32 -> "float32"."""
    return str(dtype).removeprefix("torch.")


def load(
    checkpoint: str, device: str | torch.device | None = None, dtype: torch.dtype | None = None
) -> DiffusionPipeline:
    """The pipeline of a checkpoint on its device, in evaluation mode; the last MAX_WARM ones stay warm.

    A folder or file that changed on disk since is loaded anew. Raises CheckpointError where the checkpoint is missing,
    broken, unsafe, or does not fit into the device's memory.
    """
    device, dtype = choose_device(device, dtype)
    with _lock:
        key = (checkpoint, checkpoints.stamp(checkpoint), device, dtype)
        if key in _warm:
            _warm.move_to_end(key)
            return _warm[key]
        while len(_warm) >= MAX_WARM:
            _warm.popitem(last=False)
        pipeline = _load_with_room(checkpoint, device, dtype)
        _warm[key] = pipeline
        return pipeline


def unload() -> None:
    """Forgets all warm pipelines and gives their memory back."""
    with _lock:
        _forget()


def _forget() -> None:
    _warm.clear()
    gc.collect()
    if torch.cuda.is_available():
        torch.cuda.empty_cache()


def _load_with_room(checkpoint: str, device: torch.device, dtype: torch.dtype) -> DiffusionPipeline:
    try:
        return _load(checkpoint, dtype).to(device)
    except torch.OutOfMemoryError:
        _forget()
    try:
        return _load(checkpoint, dtype).to(device)
    except torch.OutOfMemoryError:
        raise CheckpointError(
            f"“{checkpoint}” does not fit into the memory of {describe_device(device, dtype)}."
        ) from None


def _load(checkpoint: str, dtype: torch.dtype) -> DiffusionPipeline:
    source = checkpoints.find(checkpoint)
    if isinstance(source, Path) and source.is_file():
        pipeline = _from_file(source, dtype)
    else:
        folder = source if isinstance(source, Path) else _download(source, dtype)
        checkpoints.check_folder(folder)
        pipeline = _guard(
            folder,
            DiffusionPipeline.from_pretrained,
            str(folder),
            dtype=dtype,
            variant=checkpoints.pick_variant(folder, half=dtype != torch.float32),
            use_safetensors=True,
            trust_remote_code=False,
            local_files_only=True,
            **dict.fromkeys(checkpoints.absent_parts(folder)),
        )
    pipeline.set_progress_bar_config(disable=True)
    return pipeline


def _from_file(file: Path, dtype: torch.dtype) -> DiffusionPipeline:
    checkpoints.check_file(file)
    config = checkpoints.find_config(file)
    if config is not None:
        class_name = checkpoints.check_folder(config)
        local = {"config": str(config), "local_files_only": True, **dict.fromkeys(checkpoints.absent_parts(config))}
    else:
        # diffusers tells the well-known families by their weights, and the hub has their configuration.
        hub_id = _guard(file, checkpoints.guess_family, file)
        class_name = _class_on_hub(file, hub_id)
        local = {"config": hub_id}
    pipeline_class = getattr(diffusers, class_name)
    if not hasattr(pipeline_class, "from_single_file"):
        raise CheckpointError(f"A {class_name} cannot be loaded from a single file: use its diffusers folder.")
    return _guard(file, pipeline_class.from_single_file, str(file), dtype=dtype, **local)


def _class_on_hub(file: Path, hub_id: str) -> str:
    try:
        config: Any = DiffusionPipeline.load_config(hub_id)  # a dict; its annotation covers other ways to call it
        return str(config["_class_name"])
    except Exception as error:
        raise CheckpointError(
            f"“{file}” looks like {hub_id}, whose configuration is not here and could not be had from the hub. "
            f"Put its diffusers configuration into the folder “{file.with_suffix('')}”."
        ) from error


def _download(hub_id: str, dtype: torch.dtype) -> Path:
    """The folder of a hub checkpoint in the local cache, fetched if it is not there yet (its code never is)."""
    try:
        folder = DiffusionPipeline.download(
            hub_id,
            use_safetensors=True,
            variant=None if dtype == torch.float32 else "fp16",
            trust_remote_code=False,
        )
    except Exception as error:
        raise CheckpointError(
            f"“{hub_id}” is no folder here, and could not be had from the hub: {_first_sentence(error)}"
        ) from error
    return Path(folder)


def _guard(what: object, call: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    """Calls a loader. A broken checkpoint may raise anything in there: all of it becomes a CheckpointError."""
    try:
        return call(*args, **kwargs)
    except (torch.OutOfMemoryError, CheckpointError):
        raise
    except Exception as error:
        raise CheckpointError(f"“{what}” could not be loaded: {_first_sentence(error)}") from error


def _first_sentence(error: Exception) -> str:
    """What an error says, without the advice to programmers that the libraries append to it."""
    return (str(error).strip() or type(error).__name__).splitlines()[0].split(". ")[0]
