"""Losses of teaching against loops written directly on diffusers, transformers and peft, step for step."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F  # noqa: N812
from diffusers import DDPMScheduler, DiffusionPipeline
from diffusers.training_utils import compute_snr
from peft import LoraConfig
from PIL import Image

from generator.diffusion.train import buckets, loop
from generator.diffusion.train.finetune import train_slice
from generator.diffusion.train.spec import FinetuneSpec
from tests.generator.diffusion.train.taught import SIZE, draw_pictures, plan

STEPS = 20
SQUARES = ((80, 80), (72, 72), (90, 90))


@pytest.fixture(scope="module")
def pictures(tmp_path_factory) -> Path:
    return draw_pictures(tmp_path_factory.mktemp("pictures") / "cups", SQUARES)


def losses_of(spec: FinetuneSpec, folder: Path) -> list[float]:
    assert train_slice(spec, folder, seconds=600)
    lines = map(json.loads, (folder / "log.jsonl").read_text().splitlines())
    return [line["loss"] for line in lines if "loss" in line]


def test_dreambooth_with_lora_and_prior_preservation(tiny_folder, pictures, tmp_path):
    spec = plan(tiny_folder("sd1"), pictures, "sd1", steps=STEPS, prior_weight=0.7, points=1)
    losses = losses_of(spec, tmp_path)
    assert losses == pytest.approx(reference(spec, tmp_path), rel=1e-4)
    assert losses[0] != losses[1]


def test_min_snr_on_sdxl_with_its_micro_conditioning(tiny_folder, pictures, tmp_path):
    spec = plan(
        tiny_folder("sdxl"),
        pictures,
        "sdxl",
        steps=STEPS,
        prior_weight=0.0,
        prior_pictures=0,
        min_snr=2.0,
        points=1,
    )
    assert losses_of(spec, tmp_path) == pytest.approx(reference(spec, tmp_path), rel=1e-4)


@pytest.mark.parametrize("family", ["sd1", "sd2"])
def test_textual_inversion_in_epsilon_and_in_v(tiny_folder, pictures, tmp_path, family):
    # A tiny Stable Diffusion 2 has the widths of 1, by which families are told apart.
    spec = plan(
        tiny_folder(family), pictures, "sd1", "embedding", steps=STEPS, points=1, caption_dropout=0.0, learning_rate=0.1
    )
    assert losses_of(spec, tmp_path) == pytest.approx(reference_inversion(spec), rel=1e-3)


@dataclass
class Batch:
    x0: torch.Tensor
    e: torch.Tensor
    t: torch.Tensor
    captions: list[str]
    sizes: torch.Tensor


class Data:
    """What is trained on, by the libraries' own calls; only the order of rows is ours."""

    def __init__(self, spec: FinetuneSpec, pipeline: Any, classes: list[Image.Image]) -> None:
        self.spec, self.pipeline = spec, pipeline
        self.rows, self.captions, self.sizes = [], [], []
        texts = [json.loads(line)["text"] for line in (Path(spec.pictures) / "metadata.jsonl").read_text().splitlines()]
        for number, text in enumerate(texts):
            picture = Image.open(Path(spec.pictures) / f"{number}.png").convert("RGB")
            views = buckets.crops(picture, (SIZE, SIZE), spec.views + 1, spec.seed + number, is_flipped=False)
            for view in views[:-1]:
                self.rows.append(self.encode(view.pixels))
                self.captions.append(text.replace("cup", spec.called))
                self.sizes.append([*view.original, *view.corner, SIZE, SIZE])
        self.classes = [self.encode(np.asarray(one)) for one in classes]

    @torch.no_grad()
    def encode(self, pixels: np.ndarray) -> Any:
        x = torch.from_numpy(pixels.copy()).permute(2, 0, 1)[None].float() / 255 * 2 - 1
        return self.pipeline.vae.encode(x).latent_dist

    def draw(self, step: int, scheduler: DDPMScheduler) -> Batch:
        spec = self.spec
        generator = torch.Generator().manual_seed(spec.seed + step * loop.MICRO_STRIDE)
        rows = buckets.batch_of(step - 1, spec.batch, [np.arange(len(self.rows))], spec.seed)
        chosen = [self.rows[row] for row in rows]
        captions = [self.captions[row] for row in rows]
        sizes = [self.sizes[row] for row in rows]
        if spec.has_prior:
            more = buckets.batch_of(step - 1, spec.batch, [np.arange(len(self.classes))], spec.seed)
            chosen += [self.classes[row] for row in more]
            captions += ["a photo of a cup"] * spec.batch
            sizes += [[SIZE, SIZE, 0, 0, SIZE, SIZE]] * spec.batch
        mean, std = (torch.cat([getattr(one, name) for one in chosen]) for name in ("mean", "std"))
        x0 = (mean + std * torch.randn(mean.shape, generator=generator)) * self.pipeline.vae.config.scaling_factor
        e = torch.randn(x0.shape, generator=generator)
        t = torch.randint(0, scheduler.config.num_train_timesteps, (len(x0),), generator=generator).long()
        if spec.caption_dropout:
            dropped = torch.rand(len(x0), generator=generator) < spec.caption_dropout
            captions = ["" if drop else text for drop, text in zip(dropped.tolist(), captions, strict=True)]
        return Batch(x0, e, t, captions, torch.tensor(sizes, dtype=torch.float32))


def rate(spec: FinetuneSpec, step: int) -> float:
    return spec.learning_rate * min(1, step / spec.warmup) * min(1, (spec.steps - step + 1) / spec.decay)


def reference(spec: FinetuneSpec, folder: Path) -> list[float]:
    """train_dreambooth_lora.py and train_text_to_image_lora_sdxl.py of diffusers, without their frames."""
    pipeline = DiffusionPipeline.from_pretrained(spec.checkpoint)
    unet = pipeline.unet.requires_grad_(False).train()
    scheduler = DDPMScheduler.from_pretrained(spec.checkpoint, subfolder="scheduler")
    classes = [Image.open(file).convert("RGB") for file in sorted((folder / "data").glob("class-*.png"))]
    data = Data(spec, pipeline, classes)
    torch.manual_seed(spec.seed)
    unet.add_adapter(
        LoraConfig(
            r=spec.rank,
            lora_alpha=spec.alpha,
            init_lora_weights="gaussian",
            target_modules=["to_q", "to_k", "to_v", "to_out.0"],
        )
    )
    trained = [parameter for parameter in unet.parameters() if parameter.requires_grad]
    optimizer = torch.optim.AdamW(trained, lr=1.0, betas=(0.9, 0.98), weight_decay=0.01)
    losses = []
    for step in range(1, spec.steps + 1):
        drawn = data.draw(step, scheduler)
        predicted = unet(scheduler.add_noise(drawn.x0, drawn.e, drawn.t), drawn.t, **told(pipeline, drawn)).sample
        if spec.has_prior:
            (mine, prior), (wanted, prior_wanted) = predicted.chunk(2), drawn.e.chunk(2)
            loss = F.mse_loss(mine, wanted) + spec.prior_weight * F.mse_loss(prior, prior_wanted)
        elif spec.min_snr:
            snr = compute_snr(scheduler, drawn.t)
            weights = torch.stack([snr, spec.min_snr * torch.ones_like(drawn.t)], dim=1).min(dim=1)[0] / snr
            each = F.mse_loss(predicted, drawn.e, reduction="none")
            loss = (each.mean(dim=list(range(1, len(each.shape)))) * weights).mean()
        else:
            loss = F.mse_loss(predicted, drawn.e)
        for group in optimizer.param_groups:
            group["lr"] = rate(spec, step)
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(trained, 1.0)
        optimizer.step()
        losses.append(loss.item())
    return losses


@torch.no_grad()
def told(pipeline: Any, drawn: Batch) -> dict[str, Any]:
    """Embeddings by the text encoders themselves."""
    if not hasattr(pipeline, "text_encoder_2"):
        return {"encoder_hidden_states": pipeline.text_encoder(tokens(pipeline.tokenizer, drawn.captions))[0]}
    states = []
    for number in ("", "_2"):
        ids = tokens(getattr(pipeline, f"tokenizer{number}"), drawn.captions)
        found = getattr(pipeline, f"text_encoder{number}")(ids, output_hidden_states=True)
        states.append(found.hidden_states[-2])
        pooled = found[0]
    # What pictures are made with instead of the empty prompt.
    known = torch.tensor([bool(text) for text in drawn.captions])[:, None]
    words = torch.cat(states, dim=-1) * known[..., None]
    return {
        "encoder_hidden_states": words,
        "added_cond_kwargs": {"text_embeds": pooled * known, "time_ids": drawn.sizes},
    }


def tokens(tokenizer: Any, texts: list[str]) -> torch.Tensor:
    length = tokenizer.model_max_length
    return tokenizer(texts, padding="max_length", max_length=length, truncation=True, return_tensors="pt").input_ids


def reference_inversion(spec: FinetuneSpec) -> list[float]:
    """textual_inversion.py of diffusers: the table of vectors is trained, and all rows but the new ones put back."""
    pipeline = DiffusionPipeline.from_pretrained(spec.checkpoint)
    tokenizer, encoder = pipeline.tokenizer, pipeline.text_encoder.requires_grad_(False)
    unet = pipeline.unet.requires_grad_(False)
    scheduler = DDPMScheduler.from_pretrained(spec.checkpoint, subfolder="scheduler")
    data = Data(spec, pipeline, [])
    first = len(tokenizer)
    names = [spec.word, f"{spec.word}_1"]
    start = tokenizer.encode(spec.initialiser, add_special_tokens=False)
    assert len(start) > spec.vectors  # so that the first letters' vectors are the start
    tokenizer.add_tokens(names)
    encoder.resize_token_embeddings(len(tokenizer))
    table = encoder.get_input_embeddings().weight
    with torch.no_grad():
        table[first:] = table[start[: spec.vectors]]
    table.requires_grad_(True)
    optimizer = torch.optim.AdamW([table], lr=1.0, betas=(0.9, 0.98), weight_decay=0.01)
    kept = table.detach().clone()
    losses = []
    for step in range(1, spec.steps + 1):
        drawn = data.draw(step, scheduler)
        texts = [text.replace(spec.word, " ".join(names)) for text in drawn.captions]
        words = encoder(tokens(tokenizer, texts))[0]
        predicted = unet(scheduler.add_noise(drawn.x0, drawn.e, drawn.t), drawn.t, words).sample
        is_v = scheduler.config.prediction_type == "v_prediction"
        loss = F.mse_loss(predicted, scheduler.get_velocity(drawn.x0, drawn.e, drawn.t) if is_v else drawn.e)
        for group in optimizer.param_groups:
            group["lr"] = rate(spec, step)
        optimizer.zero_grad()
        loss.backward()
        table.grad[:first] = 0
        torch.nn.utils.clip_grad_norm_([table], 1.0)
        optimizer.step()
        with torch.no_grad():
            table[:first] = kept[:first]
        losses.append(loss.item())
    return losses
