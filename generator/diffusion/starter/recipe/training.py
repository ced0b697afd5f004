"""The starter's training: its autoencoder, then its denoiser, on scenes painted anew at every step.

The loop, the losses and the shape of the model are those that any training from scratch uses (train/pretrain.py); what
is its own is where the pictures come from.
"""

from __future__ import annotations

import json
import random
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor
from transformers import AutoModel, AutoTokenizer

from generator.diffusion import noise
from generator.diffusion.spec import SIZE_MULTIPLE, Step
from generator.diffusion.starter.assemble import place_words
from generator.diffusion.starter.autoencoder import PatchAutoencoder
from generator.diffusion.starter.recipe import scenes, stage
from generator.diffusion.starter.recipe.art import Art
from generator.diffusion.train import autoencoder, cache, denoiser, loop, pretrain
from generator.diffusion.train.data import in_order

# Scenes that the principal components are taken from, and that tell how well the autoencoder does.
PCA_SCENES, APART = 2048, 64
VALIDATED = 256
# Texts to embed at once.
TEXTS = 512
# Timesteps are drawn as sigmoid(normal): towards much noise, where shapes are decided, but with some for the edges.
TIMESTEP_MEAN, TIMESTEP_DEVIATION = 0.6, 1.2
# What the sample sheets show: easy and hard things, on colours that were trained with them and not.
SHOWN = (
    "3d render of a red apple on a white background",
    "3d render of a rocket on a navy blue background",
    "3d render of a panda on a yellow background",
    "flat illustration of a guitar on a mint green background",
    "cartoon of a birthday cake on a pink background",
    "minimal icon of a bicycle on a sky blue background",
    "a sunflower",
    "3d render of a dog and a pizza side by side on a purple background",
    "3d render of a small laptop in the top left corner on a beige background",
)


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """What the starter is made of. size: side in pixels. each: scenes with words of their own, for each piece of art.

    decoder: widths of the autoencoder's decoder at full, half, quarter and eighth resolution.
    """

    size: int = 128
    each: int = 16
    seed: int = 0
    shape: denoiser.DenoiserSpec = field(default_factory=lambda: denoiser.shape((64, 160, 320)))
    decoder: tuple[int, ...] = (3, 64, 128, 256)
    autoencoder: loop.LoopSpec = field(
        default_factory=lambda: loop.LoopSpec(steps=1000, batch=8, learning_rate=1e-3, warmup=50, decay=300)
    )
    denoiser: loop.LoopSpec = field(default_factory=lambda: loop.LoopSpec(steps=20_000, decay=8000))


def train(
    recipe: Recipe, pieces: Sequence[Art], folder: Path, on_step: Callable[[Step], None] = lambda step: None
) -> Path:
    """Trains, or goes on where it stopped, in `folder`; returns `folder/model`, a diffusers folder."""
    everything = scenes.collect(pieces, recipe.size)
    told = list(scenes.draw(everything, recipe.each, random.Random(recipe.seed)))
    apart = list(scenes.draw_unseen(everything, VALIDATED, random.Random(recipe.seed + 1)))
    device = loop.device()
    painter = Painter(stage.build(everything, recipe.size).to(device), stage.cast(told).to(device))
    vae = _train_autoencoder(recipe, painter, folder, on_step).to(device)
    words = _words(folder)
    kept = noise.kept_signal(noise.cosine_betas())
    captions = [*dict.fromkeys(scene.caption for scene in told), ""]
    unet: Any = denoiser.make(
        recipe.shape,
        latent_channels=vae.config.latent_channels,
        sample_size=recipe.size // SIZE_MULTIPLE,
        text_width=words.text_encoder.config.hidden_size,
    )
    pipeline = pretrain.assemble(vae, unet, words)
    seen_apart = _held_out(painter.painted_on, apart, vae, words, recipe)
    task = loop.Task(
        unet,
        Draws(
            painter,
            vae,
            torch.from_numpy(_embed(captions, words, folder / "words", device)).to(device),
            _numbers(captions, [scene.caption for scene in told]).to(device),
            kept.to(device),
            recipe.denoiser.batch,
            recipe.denoiser.seed,
        ),
        denoiser.loss,
        validate=lambda model: {
            "validation_loss": denoiser.validation_loss(
                model, denoiser.Draws(seen_apart, np.arange(len(apart)), kept, 64, recipe.seed), len(apart)
            )
        },
        sample=lambda model, step: pretrain.draw(pipeline.to(next(model.parameters()).device), SHOWN, recipe.size),
    )
    loop.train(task, recipe.denoiser, folder / "denoiser", on_step)
    pipeline.to("cpu").save_pretrained(folder / "model")
    return folder / "model"


@dataclass(frozen=True)
class Painter:
    """Paints batch `index` of a cast, gone through in a new order each time round; both are on the device."""

    painted_on: stage.Stage
    cast: stage.Cast

    def __call__(self, index: int, batch: int, seed: int, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        """(which scenes [B], pictures [B, 3, S, S] in -1..1)."""
        rows = torch.from_numpy(in_order(index, batch, len(self.cast), seed)).to(generator.device)
        return rows, self.painted_on.paint(self.cast[rows], generator)


@dataclass(frozen=True)
class Draws:
    """A `loop.Draw` for the denoiser: (x_t, v, t, words). Latents are made of what is painted, words looked up.

    words: embeddings [M, T, D] float16, the last of the empty caption; caption_of [N] says which is a scene's.
    kept: ᾱ [T].
    """

    painter: Painter
    vae: autoencoder.Autoencoder
    words: Tensor
    caption_of: Tensor
    kept: Tensor
    batch: int
    seed: int

    @torch.no_grad()
    def __call__(self, index: int, generator: torch.Generator) -> tuple[Tensor, ...]:
        rows, pictures = self.painter(index, self.batch, self.seed, generator)
        device = generator.device
        x0 = autoencoder.encode(self.vae, pictures)
        dropped = torch.rand(len(rows), generator=generator, device=device) < denoiser.CAPTION_DROPOUT
        normal = torch.randn(len(rows), generator=generator, device=device)
        t = (torch.sigmoid(normal * TIMESTEP_DEVIATION + TIMESTEP_MEAN) * len(self.kept)).long()
        e = torch.randn(x0.shape, generator=generator, device=device)
        words = self.words[torch.where(dropped, len(self.words) - 1, self.caption_of[rows])].float()
        kept = self.kept[t]
        return noise.add_noise(x0, e, kept), noise.velocity(x0, e, kept), t, words


@dataclass(frozen=True)
class AutoencoderDraws:
    """A `loop.Draw` for the autoencoder: (pictures, noise on their latents)."""

    painter: Painter
    latent_channels: int
    batch: int
    seed: int

    def __call__(self, index: int, generator: torch.Generator) -> tuple[Tensor, ...]:
        _rows, pictures = self.painter(index, self.batch, self.seed, generator)
        side = pictures.shape[-1] // SIZE_MULTIPLE
        shape = (len(pictures), self.latent_channels, side, side)
        return pictures, torch.randn(shape, generator=generator, device=generator.device)


@dataclass(frozen=True)
class Words:
    """A tokenizer and its text encoder, frozen."""

    tokenizer: Any
    text_encoder: Any


def _train_autoencoder(
    recipe: Recipe, painter: Painter, folder: Path, on_step: Callable[[Step], None]
) -> autoencoder.Autoencoder:
    finished = folder / "vae"
    if (finished / "config.json").is_file():
        return PatchAutoencoder.from_pretrained(finished)
    torch.manual_seed(recipe.seed)
    model = autoencoder.make(recipe.size, decoder=recipe.decoder)
    generator = torch.Generator(painter.painted_on.full.device).manual_seed(recipe.seed)
    rows = torch.randperm(len(painter.cast), generator=torch.Generator().manual_seed(recipe.seed))[:PCA_SCENES]
    parts = [painter.painted_on.paint(painter.cast[part], generator) for part in rows.to(generator.device).split(64)]
    sample = torch.cat([part.cpu() for part in parts])
    autoencoder.start_from_pca(model, sample)
    apart = sample[:APART].to(generator.device)
    task = loop.Task(
        model,
        AutoencoderDraws(painter, model.config.latent_channels, recipe.autoencoder.batch, recipe.seed),
        autoencoder.loss,
        validate=lambda model: {"psnr": autoencoder.psnr(model, apart)},
    )
    loop.train(task, recipe.autoencoder, folder / "autoencoder", on_step)
    autoencoder.set_scale(model, sample)
    model.save_pretrained(finished)
    return model


def _words(folder: Path) -> Words:
    home = folder / "text"
    shutil.rmtree(home, ignore_errors=True)  # links, which may lead nowhere any more
    place_words(home)
    encoder = AutoModel.from_pretrained(home / "text_encoder", use_safetensors=True, dtype=torch.float32)
    return Words(AutoTokenizer.from_pretrained(home / "tokenizer"), encoder.eval().requires_grad_(False))


def _embed(captions: Sequence[str], words: Words, folder: Path, device: torch.device) -> np.ndarray:
    """The embeddings of captions [M, T, D] float16, kept in `folder`."""
    key = sha256("\n".join(captions).encode()).hexdigest()
    said, path = folder / "captions.json", folder / "embeddings.npy"
    if not said.is_file() or json.loads(said.read_text(encoding="utf-8")) != key:
        folder.mkdir(parents=True, exist_ok=True)
        encoder = words.text_encoder.to(device)
        cache.write_words(path, captions, partial(cache.embed, words.tokenizer, encoder), TEXTS)
        said.write_text(json.dumps(key), encoding="utf-8")
    found: np.ndarray = np.load(path)
    return found


def _numbers(captions: Sequence[str], asked: Sequence[str]) -> Tensor:
    places = {caption: place for place, caption in enumerate(captions)}
    return torch.tensor([places[caption] for caption in asked])


def _held_out(
    painted_on: stage.Stage, apart: Sequence[scenes.Scene], vae: autoencoder.Autoencoder, words: Words, recipe: Recipe
) -> cache.Cache:
    """Scenes that are never trained, as latents and embeddings."""
    device = painted_on.full.device
    pictures = stage.paint_all(painted_on, apart, torch.Generator(device).manual_seed(recipe.seed))
    latents = torch.cat([autoencoder.encode(vae, part) for part in pictures.split(64)])
    captions = [scene.caption for scene in apart]
    encoder = words.text_encoder.to(device)
    texts = cache.embed(words.tokenizer, encoder, captions)
    return cache.Cache(
        latents.cpu().numpy(), texts.cpu().numpy(), np.arange(len(captions), dtype=np.int32), tuple(captions)
    )
