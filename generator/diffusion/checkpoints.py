"""What a checkpoint on disk is, and whether it is safe to load: looked at before any loader touches it.

Pickled weights, remote code and modules that merely happen to be importable are all ways in which a downloaded
checkpoint could run code of its own. Each is refused here with a reason.
"""

from __future__ import annotations

import importlib.util
import json
import re
from collections.abc import Mapping
from itertools import islice
from pathlib import Path
from typing import Any

import diffusers
import torch
from diffusers.loaders.single_file_utils import fetch_diffusers_config
from diffusers.pipelines.pipeline_utils import DiffusionPipeline
from safetensors import safe_open

from generator.diffusion import weights
from generator.diffusion.spec import CheckpointError

# diffusers loads our class by name, but only from a module that is imported already: this import is what allows it.
from generator.diffusion.starter import assemble, autoencoder

LIBRARIES = ("diffusers", "transformers", autoencoder.__name__)
PICKLES = (".bin", ".ckpt", ".pickle", ".pkl", ".pt", ".pth")
ASK_FOR_CODE = frozenset({"auto_map", "custom_pipeline"})
MAX_FILES = 2000
MAX_SETTINGS = 2**22  # bytes of a configuration
MAX_LAYERS = 1000
MAX_SETTING = 2**31
HUB_ID = re.compile(r"[\w.-]+/[\w.-]+")
INDEX = "model_index.json"
# How the names of a part begin in a single file, as diffusers reads them (loaders/single_file_utils.py).
T5 = ("text_encoders.t5xxl.",)
BEGINNINGS = {
    "vae": ("first_stage_model.", "vae."),
    "text_encoder": ("cond_stage_model.", "conditioner.embedders.0.transformer.", "text_encoders.clip_l."),
    "text_encoder_2": ("conditioner.embedders.1.", "conditioner.embedders.0.model.", "text_encoders.clip_g."),
    "text_encoder_3": T5,
}


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


def size_of(checkpoint: str) -> int:
    """Bytes of the weights of a checkpoint on disk, with what a file takes from its folder; 0 for a hub id."""
    path = Path(checkpoint).expanduser()
    try:
        files = path.rglob("*.safetensors") if path.is_dir() else _with_the_rest(path) if path.is_file() else []
        return sum(file.stat().st_size for file in files)
    except OSError:
        return 0


def check_folder(folder: Path) -> str:
    """The name of the pipeline class of a diffusers folder. Raises CheckpointError where loading it would be unsafe."""
    index = _read_json(folder / INDEX)
    check_files(folder)
    if ASK_FOR_CODE & index.keys():
        raise CheckpointError(f"“{folder}” brings its own code, which is never run.")
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
    return [name for name, part in parts(folder).items() if not any(part)]


def parts(folder: Path) -> dict[str, list[str]]:
    """The parts that a folder names, each as its library and class."""
    return {name: part for name, part in _read_json(folder / INDEX).items() if isinstance(part, list)}


def denoiser(index: Mapping[str, Any]) -> str:
    """What the part of a pipeline is called that makes the pictures."""
    return "transformer" if "transformer" in index else "unet"


def beside_the_denoiser(index: Mapping[str, Any]) -> list[str]:
    """The parts with weights that a pipeline cannot do without, and a single file may lack."""
    return [name for name in BEGINNINGS if any(index.get(name, ()))]


def lacking(file: Path, index: Mapping[str, Any]) -> list[str]:
    """Which of those a single file lacks, by the names of its tensors: many hold nothing but a transformer."""
    names = tuple(weights.read_header(file).tensors)

    def holds(part: str) -> bool:
        beginnings = T5 if index[part][1].startswith("T5") else BEGINNINGS[part]
        return any(name.startswith(beginnings) for name in names)

    return [part for part in beside_the_denoiser(index) if not holds(part)]


def weights_of(folder: Path, part: str) -> list[Path]:
    """The files of weights that a folder has of a part."""
    return sorted((folder / part).glob("*.safetensors"))


def _with_the_rest(file: Path) -> list[Path]:
    folder = find_config(file)
    if folder is None:
        return [file]
    return [file, *(path for part in lacking(file, parts(folder)) for path in weights_of(folder, part))]


def check_file(file: Path) -> None:
    """Raises CheckpointError unless the file really is safetensors, whatever its name says, and full of numbers."""
    weights.read_header(file)
    weights.check_numbers(file)


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
    tensors = [path for path in files if path.suffix == ".safetensors"]
    pickles = [path for path in files if path.suffix.lower() in PICKLES]
    if pickles and not tensors:
        raise CheckpointError(
            f"“{folder}” holds its {name} as {pickles[0].name}, which may hold pickled code and is never loaded. "
            "Convert it to .safetensors first."
        )
    for path in tensors:
        check_file(path)
    for path in files:
        if path.suffix == ".json" and "config" in path.name:
            _check_settings(folder, name, path)


def check_files(folder: Path) -> None:
    """No file of a folder lies elsewhere or is code, whether anything would read it or not."""
    inside = [folder.resolve()]
    if folder.parent.name == "snapshots":  # the hub's own cache, which links to the files it has fetched
        inside.append(folder.parent.parent.resolve() / "blobs")
    if (folder / assemble.MARKER).is_file():
        inside += assemble.linked_folders()
    paths = [*islice(folder.rglob("*"), MAX_FILES + 1)]
    if len(paths) > MAX_FILES:
        raise CheckpointError(f"“{folder}” holds more than {MAX_FILES} files, which no checkpoint does.")
    for path in paths:
        where = path.relative_to(folder)
        if path.is_symlink() and not any(path.resolve().is_relative_to(root) for root in inside):
            raise CheckpointError(f"“{folder}” links to a file elsewhere ({where}), which is never read.")
        if path.suffix.lower() == ".py":
            raise CheckpointError(f"“{folder}” brings its own code ({where}), which is never run. Remove it.")
        if path.name.endswith(".index.json"):
            _check_shards(folder, path)


def _check_shards(folder: Path, path: Path) -> None:
    """The parts of a sharded file are named by it: each must lie beside it."""
    names = _read_json(path).get("weight_map", {})
    if not isinstance(names, dict):
        raise CheckpointError(f"“{path}” cannot be read: it names no files.")
    for name in {*map(str, names.values())}:
        if Path(name).name != name or not name.endswith((".safetensors", ".bin")):
            raise CheckpointError(f"“{folder}” names a file elsewhere ({name}), which is never read.")


def _check_settings(folder: Path, part: str, path: Path) -> None:
    """Refuses settings that ask for code, or for a model that no machine holds: it is built before it meets weights."""
    settings = _read_json(path)
    if ASK_FOR_CODE & settings.keys():
        raise CheckpointError(f"“{folder}” brings its own code for its {part}, which is never run.")
    if path.name != "config.json":  # tokenizers have no size, and say so with a very large number
        return
    for name, value in settings.items():
        numbers = [one for one in (value if isinstance(value, list) else [value]) if type(one) is int]
        limit = MAX_LAYERS if "layers" in name else MAX_SETTING
        if any(abs(number) > limit for number in numbers):
            raise CheckpointError(f"“{folder}” asks for an absurd {part}: {name} is {str(value)[:80]}.")


def _is_part_of_diffusers(library: str) -> bool:
    """Whether an index's "stable_diffusion" and the like is a package of diffusers.pipelines."""
    return library.isidentifier() and importlib.util.find_spec(f"diffusers.pipelines.{library}") is not None


def _read_json(path: Path) -> dict[str, Any]:
    try:
        if path.stat().st_size > MAX_SETTINGS:
            raise CheckpointError(f"“{path}” is too large for settings: at most {MAX_SETTINGS} bytes are read.")
        content = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise CheckpointError(f"“{path.parent}” is not a diffusers folder: it has no {path.name}.") from None
    except CheckpointError:
        raise
    except (OSError, ValueError, RecursionError) as error:
        raise CheckpointError(f"“{path}” cannot be read: {error}") from None
    if not isinstance(content, dict):
        raise CheckpointError(f"“{path}” cannot be read: it holds no settings.")
    return content
