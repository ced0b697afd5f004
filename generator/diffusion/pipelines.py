"""Checkpoint -> warm pipeline. A checkpoint is a hub id, a diffusers folder or a single .safetensors file.

Nothing a checkpoint brings is ever run: checkpoints.py looks it over first, and weights are safetensors only.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Mapping
from pathlib import Path
from threading import Lock
from typing import Any

import diffusers
import torch
import transformers
from diffusers.pipelines.pipeline_utils import DiffusionPipeline

from generator.diffusion import checkpoints, loading, memory
from generator.diffusion.spec import CheckpointError

# As many as there is memory for, so that whoever goes back and forth between models pays for loading each once.
MAX_WARM = 4
ROOM = 1.3  # what has to be free for a checkpoint, over the size of its files

_Key = tuple[str, int | None, torch.device, torch.dtype, str]
_warm: OrderedDict[_Key, DiffusionPipeline] = OrderedDict()
_wishes: dict[str, Mapping[str, Any]] = {}
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
    """The pipeline of a checkpoint on its device, in evaluation mode; the last ones stay warm while there is memory.

    A folder or file that changed on disk since is loaded anew. Raises CheckpointError where the checkpoint is missing,
    broken, unsafe, or does not fit into the device's memory.
    """
    device, dtype = choose_device(device, dtype)
    with _lock:
        key = (checkpoint, checkpoints.stamp(checkpoint), device, dtype, str(_wishes.get(checkpoint, {})))
        if key in _warm:
            _warm.move_to_end(key)
            return _warm[key]
        source = _look_over(checkpoint)  # before anything is forgotten for it: a broken file may claim any size
        _make_room(checkpoint, device)
        pipeline = _load_with_room(checkpoint, source, device, dtype)
        _warm[key] = pipeline
        return pipeline


def wish(checkpoint: str, wishes: Mapping[str, Any]) -> None:
    """What the memory plan of a checkpoint is to be like (fields of memory.Plan), from when it is next loaded."""
    _wishes[checkpoint] = wishes


def plans() -> dict[str, str]:
    """The checkpoints that are loaded, each with its memory plan in words."""
    with _lock:
        return {checkpoint: str(memory.plan_of(pipeline)) for (checkpoint, *_rest), pipeline in _warm.items()}


def drop_others(pipeline: DiffusionPipeline) -> None:
    """Forgets all warm pipelines but this one."""
    with _lock:
        for key in [key for key, other in _warm.items() if other is not pipeline]:
            del _warm[key]
        memory.free_caches()


def warm() -> list[str]:
    """The checkpoints that are loaded, the latest used last."""
    with _lock:
        return [checkpoint for checkpoint, *_rest in _warm]


def unload() -> None:
    """Forgets all warm pipelines and gives their memory back."""
    with _lock:
        _forget()


def _forget() -> None:
    _warm.clear()
    memory.free_caches()


def _make_room(checkpoint: str, device: torch.device) -> None:
    """Forgets the pipelines that were not used for longest, until another fits beside the rest."""
    needed = ROOM * checkpoints.size_of(checkpoint)
    while _warm and (len(_warm) >= MAX_WARM or 0 < memory.measure(device)[0] < needed):
        _warm.popitem(last=False)
        memory.free_caches()


def _look_over(checkpoint: str) -> Path | str:
    """Where the checkpoint is: a folder or a file that is sound, or a hub id. Raises CheckpointError."""
    source = checkpoints.find(checkpoint)
    if isinstance(source, Path):
        check = checkpoints.check_file if source.is_file() else checkpoints.check_folder
        check(source)
    return source


def _load_with_room(checkpoint: str, source: Path | str, device: torch.device, dtype: torch.dtype) -> DiffusionPipeline:
    try:
        return _placed(checkpoint, source, device, dtype)
    except torch.OutOfMemoryError:
        _forget()
    try:
        return _placed(checkpoint, source, device, dtype)
    except torch.OutOfMemoryError:
        raise CheckpointError(
            f"“{checkpoint}” does not fit into the memory of {describe_device(device, dtype)}."
        ) from None


def _placed(checkpoint: str, source: Path | str, device: torch.device, dtype: torch.dtype) -> DiffusionPipeline:
    pipeline = _load(source, dtype)
    memory.settle(pipeline, device, _wishes.get(checkpoint, {}))
    return pipeline


def _load(source: Path | str, dtype: torch.dtype) -> DiffusionPipeline:
    if isinstance(source, str):
        source = _download(source, dtype)
    read = loading.from_file if source.is_file() else loading.from_folder
    pipeline: DiffusionPipeline = _guard(source, read, source, dtype)
    pipeline.set_progress_bar_config(disable=True)
    return pipeline


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
    checkpoints.check_folder(Path(folder))
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
