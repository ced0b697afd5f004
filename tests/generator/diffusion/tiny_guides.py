"""ControlNets and IP-Adapters for the tiny pipelines: their real classes, with weights that are not nothing."""

import inspect
from pathlib import Path
from typing import Any

import diffusers
import torch
from diffusers.models.embeddings import ImageProjection
from safetensors.torch import save_file
from transformers import CLIPVisionConfig, CLIPVisionModelWithProjection

from generator.diffusion.ways import control


def controlnet(pipeline: Any, folder: Path) -> str:
    """The folder of a ControlNet for that pipeline, whose answer is not nothing as in a new one."""
    torch.manual_seed(1)
    net_class = getattr(diffusers, control.LED[type(pipeline).__name__][1])
    if hasattr(pipeline, "unet"):
        is_plain = (
            pipeline.unet.config.time_cond_proj_dim is None
        )  # LCM's takes guidance as an input, no ControlNet does
        made = net_class.from_unet(pipeline.unet, conditioning_channels=3, load_weights_from_unet=is_plain)
    else:
        taken = inspect.signature(net_class.__init__).parameters
        made = net_class(**{name: value for name, value in pipeline.transformer.config.items() if name in taken})
    for name, weight in made.named_parameters():
        if "controlnet" in name:
            torch.nn.init.normal_(weight, std=0.2)
    made.save_pretrained(folder)
    return str(folder)


def ip_adapter(pipeline: Any, folder: Path) -> str:
    """The file of an IP-Adapter for that pipeline with a UNet, with its image encoder beside."""
    unet = pipeline.unet
    torch.manual_seed(2)
    width = unet.config.cross_attention_dim
    projection = ImageProjection(cross_attention_dim=width, image_embed_dim=16, num_image_text_embeds=4)
    tensors = {
        f"image_proj.{name.replace('image_embeds', 'proj')}": tensor for name, tensor in projection.state_dict().items()
    }
    number = 1
    for name in unet.attn_processors:
        if not name.endswith("attn2.processor"):
            continue
        module = unet.get_submodule(name.removesuffix(".processor"))
        for part in ("to_k_ip", "to_v_ip"):
            tensors[f"ip_adapter.{number}.{part}.weight"] = torch.randn(module.to_k.out_features, width) * 0.3
        number += 2
    folder.mkdir()
    save_file(tensors, folder / "ip_adapter.safetensors")
    encoder = CLIPVisionConfig(
        hidden_size=16,
        projection_dim=16,
        intermediate_size=16,
        num_hidden_layers=1,
        num_attention_heads=2,
        image_size=32,
        patch_size=16,
    )
    CLIPVisionModelWithProjection(encoder).save_pretrained(folder / "image_encoder")
    return str(folder / "ip_adapter.safetensors")
