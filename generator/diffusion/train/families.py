"""How each family of pipelines reads pictures and words, and how its denoiser is asked: what training shares with
diffusers' own calls. Latents are [B, C, h, w] for every family."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from diffusers import FluxPipeline, StableDiffusion3Pipeline, StableDiffusionPipeline, StableDiffusionXLPipeline
from torch import Tensor, nn

from generator.diffusion.spec import SpecError
from generator.diffusion.starter.autoencoder import PatchAutoencoder
from generator.diffusion.train.buckets import View

# Pipelines are diffusers' own, and mypy sees little of them.
Pipeline = Any
Words = dict[str, Tensor]

# FLUX dev was distilled with guidance as an input; at 1 it is trained on the data (README_flux of diffusers' examples).
FLUX_GUIDANCE = 1.0

CLASSES: dict[type, str] = {
    StableDiffusionXLPipeline: "sdxl",
    StableDiffusion3Pipeline: "sd3",
    FluxPipeline: "flux",
    StableDiffusionPipeline: "sd1",
}


def family_of(pipeline: Pipeline) -> str:
    """The name in defaults.FAMILIES. Raises SpecError for a pipeline that cannot be taught."""
    found = next((family for kind, family in CLASSES.items() if isinstance(pipeline, kind)), "")
    if found == "sd1":
        if isinstance(pipeline.vae, PatchAutoencoder):
            return "starter"
        return "sd2" if pipeline.unet.config.cross_attention_dim == 1024 else "sd1"
    if found:
        return found
    raise SpecError(f"A {type(pipeline).__name__} cannot be taught here. Choose Stable Diffusion, SDXL, SD3 or FLUX.")


def denoiser_name(pipeline: Pipeline) -> str:
    """What the part that is trained is called in the pipeline."""
    return "transformer" if getattr(pipeline, "transformer", None) is not None else "unet"


def denoiser_of(pipeline: Pipeline) -> Any:
    return getattr(pipeline, denoiser_name(pipeline))


@torch.no_grad()
def moments(pipeline: Pipeline, pixels: Tensor) -> tuple[Tensor, Tensor]:
    """Pictures [B, 3, H, W] in -1..1 -> mean and deviation of their latents, as the autoencoder tells them."""
    with _exact(pipeline.vae) as vae:
        found = vae.encode(pixels.to(vae.device, vae.dtype)).latent_dist
        return found.mean.float().cpu(), torch.as_tensor(found.std).expand_as(found.mean).float().cpu()


def scale(pipeline: Pipeline, latents: Tensor) -> Tensor:
    """What the autoencoder tells -> what the denoiser is trained on."""
    config = pipeline.vae.config
    return (latents - (getattr(config, "shift_factor", None) or 0.0)) * config.scaling_factor


def encode(pipeline: Pipeline, captions: Sequence[str], device: torch.device) -> Words:
    """Captions -> what the denoiser is told, a tensor [B, ...] for each of its arguments, by the pipeline's own way.

    With gradients where the text encoders have them.
    """
    texts, family = list(captions), family_of(pipeline)
    if family == "flux":
        words, pooled, _ids = pipeline.encode_prompt(texts, None, device=device, num_images_per_prompt=1)
        return {"encoder_hidden_states": words, "pooled_projections": pooled}
    if family == "sd3":
        found = pipeline.encode_prompt(texts, None, None, device=device, do_classifier_free_guidance=False)
        return {"encoder_hidden_states": found[0], "pooled_projections": found[2]}
    if family == "sdxl":
        found = pipeline.encode_prompt(texts, device=device, do_classifier_free_guidance=False)
        told = {"encoder_hidden_states": found[0], "text_embeds": found[2]}
        if pipeline.config.get("force_zeros_for_empty_prompt"):  # what guidance compares with when pictures are made
            is_told = torch.tensor([bool(text) for text in texts], device=device)
            told = {name: value * is_told.view(-1, *[1] * (value.ndim - 1)) for name, value in told.items()}
        return told
    return {"encoder_hidden_states": pipeline.encode_prompt(texts, device, 1, False)[0]}


def sizes(view: View) -> list[float]:
    """SDXL's micro-conditioning of a view: original size, corner of the crop, size that is asked for."""
    return [*view.original, *view.corner, *view.pixels.shape[:2]]


def predict(
    denoiser: nn.Module, family: str, noisy: Tensor, t: Tensor, words: Mapping[str, Tensor], at: Tensor
) -> Tensor:
    """What the denoiser makes of latents [B, C, h, w] at timesteps t [B], told `words`; `at` are `sizes` [B, 6]."""
    dtype = next(denoiser.parameters()).dtype
    told = {name: tensor.to(dtype) for name, tensor in words.items()}
    x = noisy.to(dtype)
    if family == "flux":
        return _predict_flux(denoiser, x, t, told)
    if family == "sd3":
        return denoiser(hidden_states=x, timestep=t, return_dict=False, **told)[0].float()
    if family == "sdxl":
        added = {"text_embeds": told.pop("text_embeds"), "time_ids": at.to(dtype)}
        return denoiser(x, t, **told, added_cond_kwargs=added, return_dict=False)[0].float()
    return denoiser(x, t, **told, return_dict=False)[0].float()


def _predict_flux(denoiser: Any, x: Tensor, t: Tensor, told: dict[str, Tensor]) -> Tensor:
    batch, channels, height, width = x.shape
    guided = getattr(denoiser.config, "guidance_embeds", False)
    found = denoiser(
        hidden_states=FluxPipeline._pack_latents(x, batch, channels, height, width),
        timestep=t / 1000,
        guidance=torch.full((batch,), FLUX_GUIDANCE, device=x.device) if guided else None,
        txt_ids=torch.zeros(told["encoder_hidden_states"].shape[1], 3, device=x.device, dtype=x.dtype),
        img_ids=FluxPipeline._prepare_latent_image_ids(batch, height // 2, width // 2, x.device, x.dtype),
        return_dict=False,
        **told,
    )[0]
    return FluxPipeline._unpack_latents(found, height * 8, width * 8, 8).float()


@contextmanager
def _exact(vae: Any) -> Iterator[Any]:
    """SDXL's autoencoder overflows in float16 and says so: it then reads in float32."""
    own = vae.dtype
    if getattr(vae.config, "force_upcast", False) and own == torch.float16:
        vae.to(torch.float32)
    try:
        yield vae
    finally:
        vae.to(own)
