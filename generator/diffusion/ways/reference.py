"""Subject and style from a picture, by IP-Adapter (Ye et al. 2023, arXiv:2308.06721)."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from generator.diffusion import checkpoints, prompts
from generator.diffusion.spec import CheckpointError, SpecError
from generator.diffusion.ways.image import flatten
from generator.diffusion.ways.spec import Reference

ENCODER = "image_encoder"


@contextmanager
def referred(pipeline: Any, reference: Reference | None) -> Iterator[dict[str, Any]]:
    """Lends an IP-Adapter to a pipeline for one run; holds what to pass to its call. Afterwards all is as it was.

    Raises SpecError for a family that takes none, CheckpointError for a file that is none for it.
    """
    if reference is None:
        yield {}
        return
    if not (hasattr(pipeline, "load_ip_adapter") and hasattr(pipeline, "unet")):  # transformers' are of other kinds
        raise SpecError("This model takes over nothing from a picture. Choose another one.")
    file = _file(Path(reference.model))
    checkpoints.check_file(file)
    if (file.parent / ENCODER).is_dir():
        check(file)
    parts = {name: getattr(pipeline, name, None) for name in ("image_encoder", "feature_extractor")}
    try:
        _load(pipeline, file)
        pipeline.set_ip_adapter_scale(reference.scale)
        yield {"ip_adapter_image": flatten(reference.image)}  # type: ignore[arg-type]
    finally:
        pipeline.unload_ip_adapter()
        pipeline.register_modules(**{name: part for name, part in parts.items() if hasattr(pipeline, name)})
        prompts.forget(pipeline)


def check(folder: Path) -> None:
    """Raises CheckpointError unless the folder holds one IP-Adapter file and its image encoder."""
    file = _file(folder)
    encoder = file.parent / ENCODER
    if not (encoder / "config.json").is_file():
        raise CheckpointError(f"Beside “{file}” there is no folder {ENCODER}.")
    if not any(encoder.glob("*.safetensors")):  # or pickles would be read in their place
        raise CheckpointError(f"“{encoder}” has no .safetensors file.")


def _file(model: Path) -> Path:
    if model.is_file():
        return model
    files = sorted(model.glob("*.safetensors")) if model.is_dir() else []
    if len(files) != 1:
        raise CheckpointError(f"“{model}” is no folder with one IP-Adapter file in it.")
    return files[0]


def _load(pipeline: Any, file: Path) -> None:
    try:
        pipeline.load_ip_adapter(
            str(file.parent),
            subfolder="",
            weight_name=file.name,
            image_encoder_folder=ENCODER if (file.parent / ENCODER).is_dir() else None,
            local_files_only=True,
        )
    except Exception as error:
        raise CheckpointError(f"“{file}” could not be loaded as an IP-Adapter for this model: {error}") from error
    if pipeline.image_encoder is None:
        raise CheckpointError(f"Beside “{file}” there is no folder {ENCODER}.")
    pipeline.image_encoder.to(pipeline.device, pipeline.dtype)
