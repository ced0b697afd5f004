"""A Stable Diffusion 1 pipeline written the way most checkpoints travel: one file, with the original's names.

The mapping is diffusers' own (scripts/convert_diffusers_to_original_stable_diffusion.py, Apache-2.0), by pattern.
"""

import re
from pathlib import Path

from diffusers import StableDiffusionPipeline
from safetensors.torch import save_file
from torch import Tensor

LAYERS = 1  # ResNets a block of tiny.sd1's UNet: block b starts at input b * (LAYERS + 1) + 1, output b * (LAYERS + 1)
LEVELS = 4  # of its autoencoder, counted from the other end in the original's decoder

UNET = [
    (r"^time_embedding\.linear_1", "time_embed.0"),
    (r"^time_embedding\.linear_2", "time_embed.2"),
    (r"^conv_in", "input_blocks.0.0"),
    (r"^conv_norm_out", "out.0"),
    (r"^conv_out", "out.2"),
    (r"^down_blocks\.(\d)\.resnets\.0", lambda m: f"input_blocks.{_down(m[1])}.0"),
    (r"^down_blocks\.(\d)\.attentions\.0", lambda m: f"input_blocks.{_down(m[1])}.1"),
    (r"^down_blocks\.(\d)\.downsamplers\.0\.conv", lambda m: f"input_blocks.{_down(m[1]) + LAYERS}.0.op"),
    (r"^mid_block\.resnets\.0", "middle_block.0"),
    (r"^mid_block\.attentions\.0", "middle_block.1"),
    (r"^mid_block\.resnets\.1", "middle_block.2"),
    (r"^up_blocks\.(\d)\.resnets\.(\d)", lambda m: f"output_blocks.{_up(m[1]) + int(m[2])}.0"),
    (r"^up_blocks\.(\d)\.attentions\.(\d)", lambda m: f"output_blocks.{_up(m[1]) + int(m[2])}.1"),
    (r"^up_blocks\.(\d)\.upsamplers\.0", lambda m: f"output_blocks.{_up(m[1]) + LAYERS}.2"),
    (r"(?<=\d)\.norm1(?=\.\w+$)", ".in_layers.0"),
    (r"\.conv1", ".in_layers.2"),
    (r"(?<=\d)\.norm2(?=\.\w+$)", ".out_layers.0"),
    (r"\.conv2", ".out_layers.3"),
    (r"\.time_emb_proj", ".emb_layers.1"),
    (r"\.conv_shortcut", ".skip_connection"),
]
AUTOENCODER = [
    (r"^(encoder\.down)_blocks\.(\d)\.resnets\.(\d)", r"\1.\2.block.\3"),
    (r"^(encoder\.down)_blocks\.(\d)\.downsamplers\.0", r"\1.\2.downsample"),
    (r"^(decoder\.up)_blocks\.(\d)\.resnets\.(\d)", lambda m: f"{m[1]}.{LEVELS - 1 - int(m[2])}.block.{m[3]}"),
    (r"^(decoder\.up)_blocks\.(\d)\.upsamplers\.0", lambda m: f"{m[1]}.{LEVELS - 1 - int(m[2])}.upsample"),
    (r"mid_block\.resnets\.0", "mid.block_1"),
    (r"mid_block\.resnets\.1", "mid.block_2"),
    (r"mid_block\.attentions\.0", "mid.attn_1"),
    (r"conv_norm_out", "norm_out"),
    (r"conv_shortcut", "nin_shortcut"),
    (r"group_norm", "norm"),
    (r"to_out\.0", "proj_out"),
    (r"to_([qkv])", r"\1"),
]


def save_original(pipeline: StableDiffusionPipeline, file: Path) -> None:
    """Writes the weights of a tiny.sd1 as one file of the original kind."""
    weights: dict[str, Tensor] = {}
    for name, value in pipeline.unet.state_dict().items():
        weights[f"model.diffusion_model.{_rename(name, UNET)}"] = value
    for name, value in pipeline.vae.state_dict().items():
        # The original's attention is made of 1x1 convolutions.
        as_conv = ".mid_block.attentions" in name and value.ndim == 2
        weights[f"first_stage_model.{_rename(name, AUTOENCODER)}"] = value[:, :, None, None] if as_conv else value
    for name, value in pipeline.text_encoder.state_dict().items():
        weights[f"cond_stage_model.transformer.text_model.{name.removeprefix('text_model.')}"] = value
    save_file({name: value.contiguous() for name, value in weights.items()}, file)


def _rename(name: str, rules: list) -> str:
    # Inside transformer blocks the names are the same in both, with a norm1 and norm2 of their own.
    head, separator, tail = name.partition(".transformer_blocks")
    for pattern, replacement in rules:
        head = re.sub(pattern, replacement, head)
    return head + separator + tail


def _down(block: str) -> int:
    return int(block) * (LAYERS + 1) + 1


def _up(block: str) -> int:
    return int(block) * (LAYERS + 1)
