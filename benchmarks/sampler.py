"""Our sampler against the plain call of diffusers' pipeline, in the size of Stable Diffusion 1.5.

The weights are drawn at random: they cost what trained ones do. Seconds of CPU: what else runs here does not count.
"""

import os
import shutil
import statistics
from collections.abc import Callable
from functools import partial
from time import process_time
from typing import Any

# Before torch is first imported, as in the worker (config/celery.py), and for the baseline alike.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

import numpy as np
import torch
from diffusers import AutoencoderKL, UNet2DConditionModel
from diffusers.models.attention_processor import AttnProcessor
from diffusers.pipelines.pipeline_utils import DiffusionPipeline
from torch import nn
from transformers import CLIPTextConfig, CLIPTextModel

from generator.diffusion import memory, prompts
from generator.diffusion.sampling import generate
from generator.diffusion.spec import ImageSpec, Step
from tests.generator.diffusion import tiny

Act = Callable[[], Any]
ROUNDS = 3  # of some 14 CPU seconds for each of both
STANCES = ("default", "force_eager")  # of torch.compile
BAR = 1.0
MOST_APART = 2  # of 255
SPEC = ImageSpec(checkpoint="its size", prompt="a red apple", width=256, height=256, steps=2, guidance=7.5)


def pipeline_vs_diffusers() -> dict[str, Any]:
    """CPU seconds of a picture with all its previews, over those of the pipeline's own call: ratio of medians.

    `options`: what each choice that can be made on a CPU costs, over the same without it. `apart`: pixels, of 255.
    """
    pipeline = _stable_diffusion()
    made: dict[str, Any] = {}
    ours, theirs = _medians(lambda: made.update(ours=_ours(pipeline)), lambda: made.update(theirs=_theirs(pipeline)))
    ratio = ours / theirs
    apart = int(np.abs(np.asarray(made["ours"], np.int16) - np.asarray(made["theirs"], np.int16)).max())
    return {
        "value": round(ours, 2),
        "unit": "CPU s",
        "baseline": round(theirs, 2),
        "ratio": round(ratio, 4),
        "bar": BAR,
        "holds": ratio <= BAR and apart <= MOST_APART,
        "apart": apart,
        "options": _options(pipeline, ours),
    }


def _stable_diffusion() -> Any:
    """Stable Diffusion 1.5 by its configuration: 860 million weights that denoise, 84 that decode, 123 that read."""
    pipeline: Any = tiny.sd1()  # for its scheduler and its tokenizer, which makes a few tokens of a text
    blocks = (128, 256, 512, 512)
    with torch.device("meta"):
        parts = {
            "unet": UNet2DConditionModel(sample_size=64, cross_attention_dim=768, attention_head_dim=8),
            "vae": AutoencoderKL(
                block_out_channels=blocks,
                down_block_types=("DownEncoderBlock2D",) * len(blocks),
                up_block_types=("UpDecoderBlock2D",) * len(blocks),
                layers_per_block=2,
                sample_size=512,
            ),
        }
    torch.manual_seed(0)
    for part in parts.values():
        _draw_weights(part.to_empty(device="cpu"))
    ends = {name: getattr(pipeline.tokenizer, name) for name in ("bos_token_id", "eos_token_id")}
    text = CLIPTextConfig(
        hidden_size=768,
        intermediate_size=3072,
        num_hidden_layers=12,
        num_attention_heads=12,
        hidden_act="quick_gelu",
        **ends,
    )
    parts["text_encoder"] = CLIPTextModel(text)
    for part in parts.values():
        part.eval().requires_grad_(False)
    pipeline.register_modules(**parts)
    pipeline.set_progress_bar_config(disable=True)
    memory.settle(pipeline, torch.device("cpu"), {})
    return pipeline


def _draw_weights(part: nn.Module) -> None:
    """Norms start as norms do; all else keeps the variance of what goes through it."""
    for name, weight in part.named_parameters():
        if weight.ndim > 1:
            nn.init.normal_(weight, std=weight[0].numel() ** -0.5)
        else:
            nn.init.constant_(weight, float(name.endswith("weight")))


def _theirs(pipeline: Any) -> Any:
    return pipeline(
        SPEC.prompt,
        width=SPEC.width,
        height=SPEC.height,
        num_inference_steps=SPEC.steps,
        guidance_scale=SPEC.guidance,
        generator=torch.Generator().manual_seed(SPEC.seed),
    ).images[0]


def _ours(pipeline: DiffusionPipeline) -> Any:
    return generate(SPEC, _look, pipeline=pipeline).images[0]


def _look(step: Step) -> None:
    assert len(list(step.previews)) == 1


def _options(pipeline: Any, whole: float) -> dict[str, float]:
    """Tiles are left out: they begin above the 512 pixels a side that this decoder was made for."""
    unet, vae = pipeline.unet, pipeline.vae
    noise, words = torch.randn(4, 4, 32, 32), torch.randn(4, 77, 768)

    def denoise(pictures: int = 2, times: int = 1) -> None:
        with torch.inference_mode():
            for _time in range(times):
                unet(noise[:pictures], 500, encoder_hidden_states=words[:pictures])

    def decode() -> None:
        with torch.inference_mode():
            vae.decode(noise[:2, :, :16, :16])

    def read() -> None:
        with torch.inference_mode():
            prompts.embeddings(pipeline, SPEC)

    kept, read_anew = _medians(read, read, (None, lambda: prompts.forget(pipeline)))
    found = {
        "prompt kept": round((whole + kept) / (whole + read_anew), 3),  # of a whole picture, as the ratio above
        "guidance in one batch": _ratio(denoise, lambda: denoise(1, times=2)),
        "two requests in one batch": _ratio(lambda: denoise(4), lambda: denoise(2, times=2)),
        "VAE in slices": _ratio(decode, decode, (vae.enable_slicing, vae.disable_slicing)),
    }
    fused, plain = unet.attn_processors, AttnProcessor()
    switch = (lambda: unet.set_attn_processor({**fused}), lambda: unet.set_attn_processor(plain))
    found["attention by torch"] = _ratio(denoise, denoise, switch)
    switch[0]()
    formats = (torch.channels_last, torch.contiguous_format)
    found["channels last"] = _ratio(denoise, denoise, tuple(partial(unet.to, memory_format=one) for one in formats))
    if shutil.which(os.environ.get("CXX", "g++")):  # without one torch compiles nothing for a CPU
        unet.compile_repeated_blocks()
        found["compiled"] = _ratio(denoise, denoise, tuple(partial(torch.compiler.set_stance, to) for to in STANCES))
    return found


def _ratio(taken: Act, left: Act, before: tuple[Act | None, Act | None] = (None, None)) -> float:
    """What an act costs with an option, over what it costs without; `before` brings about either, unmeasured."""
    ours, theirs = _medians(taken, left, before)
    return round(ours / theirs, 3)


def _medians(one: Act, other: Act, before: tuple[Act | None, Act | None] = (None, None)) -> list[float]:
    """CPU seconds of each of two acts, in turns that change direction. The first of each does not count: it pays for
    allocations and compiled code."""
    acts: tuple[Act, Act] = (one, other)
    seconds: tuple[list[float], list[float]] = ([], [])
    for turn in range(ROUNDS + 1):
        for index in (0, 1) if turn % 2 else (1, 0):
            if prepare := before[index]:
                prepare()
            began = process_time()
            acts[index]()
            seconds[index].append(process_time() - began)
    return [statistics.median(each[1:]) for each in seconds]
