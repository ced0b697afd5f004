"""DreamBooth: a subject by a rare word, on a LoRA or on all weights, the model's own pictures of its kind beside it.

Ruiz et al. 2022 (arXiv:2208.12242); LoRA: Hu et al. 2021 (arXiv:2106.09685), by peft. A style is a LoRA with no class.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from diffusers.training_utils import cast_training_params
from peft import LoraConfig
from peft.utils import get_peft_model_state_dict
from torch import Tensor, nn

from generator.diffusion.train import export, families
from generator.diffusion.train.defaults import FAMILIES
from generator.diffusion.train.families import Pipeline, Words
from generator.diffusion.train.spec import FinetuneSpec

ADAPTER = "taught"
ENCODED_TOGETHER = 8


class Told:
    """The captions' embeddings, computed once: the text encoder learns nothing here."""

    def __init__(self, pipeline: Pipeline, captions: tuple[str, ...], device: torch.device) -> None:
        with torch.no_grad():
            parts = [
                families.encode(pipeline, captions[start : start + ENCODED_TOGETHER], device)
                for start in range(0, len(captions), ENCODED_TOGETHER)
            ]
        self.tables = {name: torch.cat([part[name] for part in parts]) for name in parts[0]}

    def __call__(self, numbers: Tensor) -> Words:
        return {name: table[numbers] for name, table in self.tables.items()}


class Lora:
    """Low-rank layers in the denoiser; W + α/r · BA, of which B starts at zero: Hu et al. 2021, section 4.1."""

    denoiser: nn.Module | None = None

    def __init__(self, spec: FinetuneSpec, pipeline: Pipeline, captions: tuple[str, ...]) -> None:
        self.spec = spec
        self.model: Any = families.denoiser_of(pipeline)
        self.words = Told(pipeline, captions, self.model.device)
        self.is_checkpointed = spec.gradient_checkpointing
        targets = spec.targets or FAMILIES[spec.family].targets
        torch.manual_seed(spec.seed)
        self.model.requires_grad_(False)
        self.model.add_adapter(
            LoraConfig(
                r=spec.rank,
                lora_alpha=spec.alpha,  # type: ignore[arg-type]  # peft takes fractions, too
                init_lora_weights="gaussian",
                target_modules=[*targets],
            ),
            adapter_name=ADAPTER,
        )
        cast_training_params(self.model, torch.float32)
        if self.is_checkpointed:
            self.model.enable_gradient_checkpointing()

    def save(self, folder: Path, metadata: Mapping[str, str]) -> Path:
        state = get_peft_model_state_dict(self.model, adapter_name=ADAPTER)
        scale = self.spec.alpha / self.spec.rank
        return export.save_lora(state, self.spec.family, self.spec.alpha, scale, folder, metadata)

    @contextmanager
    def untaught(self) -> Iterator[None]:
        self.model.disable_adapters()
        try:
            yield
        finally:
            self.model.enable_adapters()

    def close(self) -> None:
        if self.is_checkpointed:
            self.model.disable_gradient_checkpointing()
        self.model.unload_lora()
        self.model.eval()


class Full:
    """All weights of a copy of the denoiser, in float32."""

    denoiser: nn.Module | None = None

    def __init__(self, spec: FinetuneSpec, pipeline: Pipeline, captions: tuple[str, ...]) -> None:
        self.pipeline = pipeline
        self.name = families.denoiser_name(pipeline)
        self.own = families.denoiser_of(pipeline)
        self.words = Told(pipeline, captions, self.own.device)
        self.model: Any = copy.deepcopy(self.own).float().requires_grad_(True)
        if spec.gradient_checkpointing:
            self.model.enable_gradient_checkpointing()
        pipeline.register_modules(**{self.name: self.model})

    def save(self, folder: Path, metadata: Mapping[str, str]) -> Path:
        return export.save_denoiser(self.model, self.own.dtype, folder / self.name)

    @contextmanager
    def untaught(self) -> Iterator[None]:
        self.pipeline.register_modules(**{self.name: self.own})
        try:
            yield
        finally:
            self.pipeline.register_modules(**{self.name: self.model})

    def close(self) -> None:
        self.pipeline.register_modules(**{self.name: self.own})
