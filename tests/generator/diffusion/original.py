"""A tiny pipeline written the way most checkpoints travel: one file, with the original's names.

Stable Diffusion's mapping is diffusers' own (scripts/convert_diffusers_to_original_stable_diffusion.py, Apache-2.0),
the others are what its loaders/single_file_utils.py reads the other way round, by pattern. Those of FLUX, Sana, Z-Image
and Qwen-Image hold a transformer and nothing else; the prefix before its names comes and goes as in published files.
"""

import re
import shutil
from collections.abc import Mapping
from operator import itemgetter
from pathlib import Path

import pytest
import torch
from diffusers.loaders import single_file_utils
from diffusers.pipelines.pipeline_utils import DiffusionPipeline
from safetensors.torch import save_file
from torch import Tensor

from tests.generator.diffusion import tiny
from tests.generator.diffusion.ways import table

PREFIX = "model.diffusion_model."
LAYERS = 1  # ResNets a block of tiny's UNets: block b starts at input b * (LAYERS + 1) + 1, output b * (LAYERS + 1)
LEVELS = 4  # of its autoencoder, counted from the other end in the original's decoder

UNET = [
    (r"^time_embedding\.linear_1", "time_embed.0"),
    (r"^time_embedding\.linear_2", "time_embed.2"),
    (r"^add_embedding\.linear_1", "label_emb.0.0"),
    (r"^add_embedding\.linear_2", "label_emb.0.2"),
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


OPEN_CLIP = [
    (r"^text_model\.embeddings\.position_embedding\.weight", "positional_embedding"),
    (r"^text_model\.embeddings\.token_embedding", "token_embedding"),
    (r"^text_model\.final_layer_norm", "ln_final"),
    (r"^text_projection\.weight", "text_projection"),
    (r"^text_model\.encoder\.layers", "transformer.resblocks"),
    (r"layer_norm(\d)", r"ln_\1"),
    (r"\.fc1", ".c_fc"),
    (r"\.fc2", ".c_proj"),
    (r"self_attn\.[qkv]_proj\.", "attn.in_proj_"),
    (r"self_attn", "attn"),
]
SD3 = [
    (r"^pos_embed\.pos_embed", "pos_embed"),
    (r"^pos_embed\.proj", "x_embedder.proj"),
    (r"^time_text_embed\.timestep_embedder\.linear_1", "t_embedder.mlp.0"),
    (r"^time_text_embed\.timestep_embedder\.linear_2", "t_embedder.mlp.2"),
    (r"^time_text_embed\.text_embedder\.linear_1", "y_embedder.mlp.0"),
    (r"^time_text_embed\.text_embedder\.linear_2", "y_embedder.mlp.2"),
    (r"^transformer_blocks", "joint_blocks"),
    (r"\.norm1\.linear", ".x_block.adaLN_modulation.1"),
    (r"\.norm1_context\.linear", ".context_block.adaLN_modulation.1"),
    (r"\.attn\.to_[qkv]", ".x_block.attn.qkv"),
    (r"\.attn\.add_[qkv]_proj", ".context_block.attn.qkv"),
    (r"\.attn\.to_out\.0", ".x_block.attn.proj"),
    (r"\.ff\.net\.0\.proj", ".x_block.mlp.fc1"),
    (r"\.ff\.net\.2", ".x_block.mlp.fc2"),
    (r"^norm_out\.linear", "final_layer.adaLN_modulation.1"),
    (r"^proj_out", "final_layer.linear"),
]
FLUX = [
    (r"^time_text_embed\.timestep_embedder", "time_in"),
    (r"^time_text_embed\.text_embedder", "vector_in"),
    (r"^time_text_embed\.guidance_embedder", "guidance_in"),
    (r"_in\.linear_1", "_in.in_layer"),
    (r"_in\.linear_2", "_in.out_layer"),
    (r"^context_embedder", "txt_in"),
    (r"^x_embedder", "img_in"),
    (r"^(single)_transformer_blocks\.(\d+)\.norm\.linear", r"\1_blocks.\2.modulation.lin"),
    (r"^(single)_transformer_blocks\.(\d+)\.(attn\.to_[qkv]|proj_mlp)", r"\1_blocks.\2.linear1"),
    (r"^(single)_transformer_blocks\.(\d+)\.proj_out", r"\1_blocks.\2.linear2"),
    (r"^(single)_transformer_blocks\.(\d+)\.attn", r"\1_blocks.\2"),
    (r"^transformer_blocks", "double_blocks"),
    (r"\.norm1\.linear", ".img_mod.lin"),
    (r"\.norm1_context\.linear", ".txt_mod.lin"),
    (r"\.attn\.to_[qkv]", ".img_attn.qkv"),
    (r"\.attn\.add_[qkv]_proj", ".txt_attn.qkv"),
    (r"\.attn\.to_out\.0", ".img_attn.proj"),
    (r"\.attn\.to_add_out", ".txt_attn.proj"),
    (r"\.attn\.norm_added_", ".txt_attn.norm_"),
    (r"\.attn\.norm_", ".img_attn.norm_"),
    (r"\.norm_q\.weight", ".norm.query_norm.scale"),
    (r"\.norm_k\.weight", ".norm.key_norm.scale"),
    (r"\.ff\.net", ".img_mlp"),
    (r"\.ff_context\.net", ".txt_mlp"),
    (r"_mlp\.0\.proj", "_mlp.0"),
    (r"^norm_out\.linear", "final_layer.adaLN_modulation.1"),
    (r"^proj_out", "final_layer.linear"),
]
SANA = [
    (r"^patch_embed", "x_embedder"),
    (r"^time_embed\.emb\.timestep_embedder\.linear_1", "t_embedder.mlp.0"),
    (r"^time_embed\.emb\.timestep_embedder\.linear_2", "t_embedder.mlp.2"),
    (r"^time_embed\.linear", "t_block.1"),
    (r"^caption_projection\.linear_", "y_embedder.y_proj.fc"),
    (r"^caption_norm", "attention_y_norm"),
    (r"^transformer_blocks", "blocks"),
    (r"attn1\.to_[qkv]", "attn.qkv"),
    (r"attn1\.to_out\.0", "attn.proj"),
    (r"attn2\.to_q", "cross_attn.q_linear"),
    (r"attn2\.to_[kv]", "cross_attn.kv_linear"),
    (r"attn2\.to_out\.0", "cross_attn.proj"),
    (r"ff\.conv_(inverted|depth|point)", lambda m: f"mlp.{m[1]}_conv.conv"),
    (r"^proj_out", "final_layer.linear"),
    (r"^scale_shift_table", "final_layer.scale_shift_table"),
]
ZIMAGE = [
    (r"^all_(x_embedder|final_layer)\.2-1", r"\1"),
    (r"attention\.to_[qkv]", "attention.qkv"),
    (r"attention\.norm_([qk])", r"attention.\1_norm"),
    (r"attention\.to_out\.0", "attention.out"),
]
TRANSFORMERS = {
    "sd3": (PREFIX, SD3),
    "flux": ("", FLUX),
    "sana": ("", SANA),
    "zimage": ("", ZIMAGE),
    "qwen": (PREFIX, []),
    "pixart": ("", []),  # refused by its class, whatever its names
}
SWAPPED = {"sd3": r"norm_out|norm1_context", "flux": r"norm_out"}  # where shift comes before scale


def save_original(family: str, folder: Path, file: Path) -> None:
    """Writes a tiny pipeline as one file of the original kind, and beside it what its diffusers `folder` has more."""
    pipeline = tiny.FAMILIES[family]()
    weights = _transformer(family, pipeline) if family in TRANSFORMERS else _unet(pipeline)
    held = ["transformer"]
    if family not in table.ALONE and family != "pixart":
        weights |= _autoencoder(pipeline) | _text_encoders(family, pipeline)
        held = [name for name, part in pipeline.components.items() if isinstance(part, torch.nn.Module)]
    save_file({name: value.contiguous() for name, value in weights.items()}, file)
    shutil.copytree(folder, file.with_suffix(""))
    for name in held:
        for path in (file.with_suffix("") / name).glob("*.safetensors"):
            path.unlink()


def narrow_flux(monkeypatch: pytest.MonkeyPatch) -> None:
    """diffusers' reader of FLUX's files takes its width for granted, 3072; here it is that of tiny.flux."""
    reader = single_file_utils.convert_flux_transformer_checkpoint_to_diffusers
    constants = reader.__code__.co_consts
    assert 3072 in constants
    narrow = tuple(32 if constant == 3072 else constant for constant in constants)
    monkeypatch.setattr(reader, "__code__", reader.__code__.replace(co_consts=narrow))


def _unet(pipeline: DiffusionPipeline) -> dict[str, Tensor]:
    return {f"{PREFIX}{_rename(name, UNET)}": value for name, value in pipeline.unet.state_dict().items()}


def _autoencoder(pipeline: DiffusionPipeline) -> dict[str, Tensor]:
    weights = {}
    for name, value in pipeline.vae.state_dict().items():
        # The original's attention is made of 1x1 convolutions.
        as_conv = ".mid_block.attentions" in name and value.ndim == 2
        weights[f"first_stage_model.{_rename(name, AUTOENCODER)}"] = value[:, :, None, None] if as_conv else value
    return weights


def _text_encoders(family: str, pipeline: DiffusionPipeline) -> dict[str, Tensor]:
    tensors = pipeline.text_encoder.state_dict()
    first = {f"text_model.{name.removeprefix('text_model.')}": value for name, value in tensors.items()}
    if family == "sd3":
        first = {name: value for name, value in first.items() if "text_projection" not in name}
        second = _under("text_encoders.clip_g.transformer.", pipeline.text_encoder_2.state_dict())
        return _under("text_encoders.clip_l.transformer.", first) | second
    if not hasattr(pipeline, "text_encoder_2"):
        return _under("cond_stage_model.transformer.", first)
    second = _joined(pipeline.text_encoder_2.state_dict(), OPEN_CLIP)
    second["text_projection"] = second["text_projection"].T
    return _under("conditioner.embedders.0.transformer.", first) | _under("conditioner.embedders.1.model.", second)


def _transformer(family: str, pipeline: DiffusionPipeline) -> dict[str, Tensor]:
    prefix, rules = TRANSFORMERS[family]
    tensors = pipeline.transformer.state_dict()
    for name in tensors:
        if family in SWAPPED and re.search(SWAPPED[family], name):
            tensors[name] = torch.cat(tensors[name].chunk(2)[::-1])
    weights = _joined(tensors, rules)
    if family == "sana":  # what its file has beside, and diffusers needs no more
        weights |= {"pos_embed": torch.zeros(1), "y_embedder.y_embedding": torch.zeros(1)}
    return _under(prefix, weights)


def _under(prefix: str, weights: dict[str, Tensor]) -> dict[str, Tensor]:
    return {prefix + name: value for name, value in weights.items()}


def _joined(tensors: Mapping[str, Tensor], rules: list) -> dict[str, Tensor]:
    """Renamed; those that get one name are one tensor: query, key, value, and a FLUX block's linear layer."""
    joined: dict[str, list[tuple[int, Tensor]]] = {}
    for name, value in tensors.items():
        piece = re.search(r"(?:to_|add_|\.)([qkv])(?:_proj)?\.|proj_(m)lp", name)
        place = "qkvm".index(piece[1] or piece[2]) if piece else 0
        joined.setdefault(_rename(name, rules), []).append((place, value))
    return {
        name: torch.cat([value for _place, value in sorted(pieces, key=itemgetter(0))])
        for name, pieces in joined.items()
    }


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
