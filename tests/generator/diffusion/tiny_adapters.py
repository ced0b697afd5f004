"""LoRAs and embeddings for the tiny pipelines, made by the libraries that people train with, and in kohya's layout."""

from pathlib import Path
from typing import Any

import torch
from peft import LoraConfig
from peft.utils import get_peft_model_state_dict
from safetensors.torch import load_file, save_file

RANK = 2
UNET = ["to_q", "to_k", "to_v", "to_out.0"]
TEXT = ["q_proj", "k_proj", "v_proj", "out_proj"]


def lora(pipeline: Any, path: Path, *, seed: int = 1, text: bool = True) -> Path:
    """A LoRA of the denoiser, and of the text encoders, in diffusers' own layout."""
    torch.manual_seed(seed)
    layers = {"unet_lora_layers": _trained(pipeline.unet, UNET)}
    if text:
        layers["text_encoder_lora_layers"] = _trained(pipeline.text_encoder, TEXT)
        if hasattr(pipeline, "text_encoder_2"):
            layers["text_encoder_2_lora_layers"] = _trained(pipeline.text_encoder_2, TEXT)
    type(pipeline).save_lora_weights(path.parent, weight_name=path.name, **layers)
    return path


def _trained(model: Any, targets: list[str]) -> dict[str, torch.Tensor]:
    model.add_adapter(LoraConfig(r=RANK, lora_alpha=RANK, target_modules=targets), "made")
    state = get_peft_model_state_dict(model, None, "made")
    return {name: torch.randn_like(value) * 0.5 for name, value in state.items()}


def kohya(source: Path, path: Path, alpha: float = 1.0) -> Path:
    """The same LoRA of the denoiser as kohya's trainer and A1111 write it: names in underscores, down and up, alpha."""
    tensors: dict[str, torch.Tensor] = {}
    for name, value in load_file(source).items():
        if not name.startswith("unet."):
            continue
        module, end = name.removeprefix("unet.").rsplit(".lora_", 1)[0], name.rsplit(".lora_", 1)[1]
        kind = "down" if end.startswith(("A", "down")) else "up"
        flat = "lora_unet_" + module.replace(".", "_")
        tensors[f"{flat}.lora_{kind}.weight"] = value
        tensors[f"{flat}.alpha"] = torch.tensor(alpha)
    save_file(tensors, path, metadata={"ss_network_dim": str(RANK), "ss_network_alpha": str(alpha)})
    return path


def embedding(pipeline: Any, path: Path, *, vectors: int = 2, seed: int = 2) -> Path:
    """A textual inversion of some vectors, as A1111 writes it for one encoder and for two."""
    torch.manual_seed(seed)
    width = pipeline.text_encoder.config.hidden_size
    first = torch.randn(vectors, width)
    if hasattr(pipeline, "text_encoder_2"):
        second = torch.randn(vectors, pipeline.text_encoder_2.config.hidden_size)
        save_file({"clip_l": first, "clip_g": second}, path)
    else:
        save_file({"emb_params": first}, path)
    return path
