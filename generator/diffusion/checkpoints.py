"""What a checkpoint on disk is, and whether it is safe to load: looked at before any loader touches it.

Pickled weights, remote code and modules that merely happen to be importable are all ways in which a downloaded
checkpoint could run code of its own. Each is refused here with a reason.
"""

from __future__ import annotations

import importlib.util
import json
import re
from pathlib import Path
from typing import Any

import diffusers
import torch
from diffusers.loaders.single_file_utils import fetch_diffusers_config
from diffusers.pipelines.pipeline_utils import DiffusionPipeline
from safetensors import SafetensorError, safe_open

from generator.diffusion.spec import CheckpointError

# diffusers loads our class by name, but only from a module that is imported already: this import is what allows it.
from generator.diffusion.starter import autoencoder

LIBRARIES = ("diffusers", "transformers", autoencoder.__name__)
PICKLES = (".bin", ".ckpt", ".pickle", ".pkl", ".pt", ".pth")
HUB_ID = re.compile(r"[\w.-]+/[\w.-]+")
INDEX = "model_index.json"


def find(checkpoint: str) -> Path | str:
    """A folder or .safetensors file as a Path, a hub id as it is. Raises CheckpointError for anything else."""
    path = Path(checkpoint).expanduser()
    if path.is_dir():
        return path
    if path.is_file():
        if path.suffix.lower() in PICKLES:
            raise CheckpointError(
                f"“{checkpoint}” may hold pickled code and is never loaded. Convert it to .safetensors first."
            )
        if path.suffix.lower() != ".safetensors":
            raise CheckpointError(f"“{checkpoint}” is not a .safetensors file.")
        return path
    if HUB_ID.fullmatch(checkpoint):
        return checkpoint
    raise CheckpointError(f"There is no checkpoint at “{checkpoint}”.")


def stamp(checkpoint: str) -> int | None:
    """Changes when the checkpoint on disk was replaced (nanoseconds of its last change); None for a hub id."""
    path = Path(checkpoint).expanduser()
    try:
        return (path / INDEX if path.is_dir() else path).stat().st_mtime_ns
    except OSError:
        return None


def check_folder(folder: Path) -> str:
    """The name of the pipeline class of a diffusers folder. Raises CheckpointError where loading it would be unsafe."""
    index = _read_json(folder / INDEX)
    class_name = index.get("_class_name")
    pipeline_class = getattr(diffusers, class_name, None) if isinstance(class_name, str) else None
    if not (isinstance(pipeline_class, type) and issubclass(pipeline_class, DiffusionPipeline)):
        raise CheckpointError(f"“{folder}” asks for the pipeline {class_name!r}, which diffusers does not have.")
    if pipeline_class._load_connected_pipes:
        # It would fetch and load further checkpoints named in a README, past these checks.
        raise CheckpointError(f"“{folder}” is a chain of checkpoints ({class_name}), which is not supported.")
    for name, component in index.items():
        if not name.startswith("_") and isinstance(component, list):
            _check_component(folder, name, component)
    return str(class_name)


def absent_parts(folder: Path) -> list[str]:
    """Parts that a folder says it does without (SD3 without its T5): loaders fail on some unless told so by name."""
    index = _read_json(folder / INDEX)
    return [name for name, part in index.items() if isinstance(part, list) and not any(part)]


def check_file(file: Path) -> None:
    """Raises CheckpointError unless the file really is safetensors, whatever its name says."""
    try:
        with safe_open(file, framework="pt"):
            pass
    except (SafetensorError, OSError) as error:
        raise CheckpointError(f"“{file}” is not a whole safetensors file: {error}") from None


def find_config(file: Path) -> Path | None:
    """The diffusers folder with the configuration of a single file: named like it, or the folder it lies in."""
    for folder in (file.with_suffix(""), file.parent):
        if (folder / INDEX).is_file():
            return folder
    return None


def guess_family(file: Path) -> str:
    """The hub id whose configuration suits a single file, told by the names and shapes of its weights."""
    with safe_open(file, framework="pt") as tensors:
        # Shapes on the meta device: enough to recognise a family, and nothing of the file's gigabytes is read.
        shapes = {name: torch.empty(tensors.get_slice(name).get_shape(), device="meta") for name in tensors.keys()}  # noqa: SIM118
    return str(fetch_diffusers_config(shapes)["pretrained_model_name_or_path"])


def pick_variant(folder: Path, *, half: bool) -> str | None:
    """ "fp16" where the folder has half precision files and they are wanted or all there is, else None."""
    halves = [path for path in folder.glob("*/*.safetensors") if ".fp16" in path.name]
    if not halves:
        return None
    only_half = any(all(".fp16" in sibling.name for sibling in path.parent.glob("*.safetensors")) for path in halves)
    return "fp16" if half or only_half else None


def _check_component(folder: Path, name: str, component: list[Any]) -> None:
    library = component[0] if component else None
    if library is None:
        return
    if not (isinstance(library, str) and (library in LIBRARIES or _is_part_of_diffusers(library))):
        raise CheckpointError(
            f"“{folder}” names code outside diffusers and transformers for its {name} ({library}), which is never run."
        )
    part = folder / name
    files = sorted(part.glob("*")) if part.is_dir() else []
    weights = [path for path in files if path.suffix == ".safetensors"]
    pickles = [path for path in files if path.suffix.lower() in PICKLES]
    if pickles and not weights:
        raise CheckpointError(
            f"“{folder}” holds its {name} as {pickles[0].name}, which may hold pickled code and is never loaded. "
            "Convert it to .safetensors first."
        )
    for path in weights:
        check_file(path)
    if (part / "config.json").is_file() and "auto_map" in _read_json(part / "config.json"):
        raise CheckpointError(f"“{folder}” brings its own code for its {name}, which is never run.")


def _is_part_of_diffusers(library: str) -> bool:
    """Whether an index's "stable_diffusion" and the like is a package of diffusers.pipelines."""
    return library.isidentifier() and importlib.util.find_spec(f"diffusers.pipelines.{library}") is not None


def _read_json(path: Path) -> dict[str, Any]:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise CheckpointError(f"“{path.parent}” is not a diffusers folder: it has no {path.name}.") from None
    except (OSError, ValueError) as error:
        raise CheckpointError(f"“{path}” cannot be read: {error}") from None
    if not isinstance(content, dict):
        raise CheckpointError(f"“{path}” cannot be read: it holds no settings.")
    return content
