"""Trains the network that removes backgrounds: python -m generator.diffusion.starter.recipe.matting --art FOLDER

On the alpha of the art that the starter learns from, laid on backgrounds of every kind; every eighth thing is held out,
and its overlap with the truth (IoU) is told at the end. Some minutes on two cores.
"""

from __future__ import annotations

import argparse
import os
import random
import sys
from collections.abc import Iterator
from hashlib import sha256
from io import BytesIO
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image, ImageFilter

from generator.diffusion.starter.recipe import art, captions, compose

if TYPE_CHECKING:
    from torch import Tensor

SIDE = 64
BATCH = 8
# Hues of the skin of hands and faces fill a third of the set: more of them would teach nothing.
HELD_OUT_SHARE = 8


def main(argv: list[str] | None = None) -> int:
    """Trains, writes the weights where they ship, and says how well they do on what was held out."""
    parser = argparse.ArgumentParser(prog="python -m generator.diffusion.starter.recipe.matting", description=__doc__)
    parser.add_argument("--art", type=Path, required=True, metavar="FOLDER", help="where the art is, or is fetched to")
    parser.add_argument("-o", "--output", type=Path, metavar="FILE", help="(where the weights ship)")
    parser.add_argument("--steps", type=int, default=1500, metavar="N", help="(1500)")
    parser.add_argument("--evaluate", action="store_true", help="only tell how well the weights do that ship")
    arguments = parser.parse_args(argv)
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    import torch
    from safetensors.torch import save_file

    from generator.diffusion.ways import matting

    try:
        art.fetch(arguments.art)
    except art.ArtError as error:
        sys.stderr.write(f"error: {error}\n")
        return 1
    trained, held_out = split(sorted((arguments.art / art.PICTURES).glob("*.webp")))
    output = arguments.output or matting.WEIGHTS
    if arguments.evaluate:
        network = matting.load(str(output))
    else:
        network = _train(matting.Matting(), trained, arguments.steps)
        output.parent.mkdir(parents=True, exist_ok=True)
        save_file({name: tensor.half() for name, tensor in network.state_dict().items()}, output)
        network = matting.load(str(output))
    with torch.inference_mode():
        scores = {kind: _score(network, held_out, kind) for kind in ("plain", "gradient", "clouds", "decoded")}
    words = ", ".join(f"{kind} {score:.3f}" for kind, score in scores.items())
    sys.stdout.write(f"{len(trained)} things trained, {len(held_out)} held out; IoU on {words}\n")
    return 0


def split(files: list[Path]) -> tuple[list[Path], list[Path]]:
    """(those to train on, those held out), always the same ones."""
    held_out = [file for file in files if int(sha256(file.stem.encode()).hexdigest(), 16) % HELD_OUT_SHARE == 0]
    return [file for file in files if file not in set(held_out)], held_out


def _train(network, files: list[Path], steps: int):
    import torch
    import torch.nn.functional as F  # noqa: N812

    torch.manual_seed(0)
    optimizer = torch.optim.AdamW(network.parameters(), lr=2e-3, weight_decay=1e-4)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 2e-3, total_steps=steps, pct_start=0.1)
    samples, started = _samples(files, random.Random(0)), perf_counter()
    for step in range(1, steps + 1):
        pixels, alpha = _batch(samples, BATCH)
        logits = network(pixels)
        guess = logits.sigmoid()
        overlap = 1 - (2 * (guess * alpha).sum((1, 2, 3)) + 1) / (guess.sum((1, 2, 3)) + alpha.sum((1, 2, 3)) + 1)
        loss = F.binary_cross_entropy_with_logits(logits, alpha) + overlap.mean() + (guess - alpha).abs().mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
        if step % 100 == 0:
            sys.stderr.write(f"step {step} of {steps}: loss {loss.item():.4f}, {perf_counter() - started:.0f} s\n")
            sys.stderr.flush()
    return network.eval()


def _batch(samples: Iterator[tuple[np.ndarray, np.ndarray]], count: int) -> tuple[Tensor, Tensor]:
    import torch

    drawn = [next(samples) for _ in range(count)]
    pixels = torch.from_numpy(np.stack([pixels for pixels, _alpha in drawn])).permute(0, 3, 1, 2) / 127.5 - 1
    alpha = torch.from_numpy(np.stack([alpha for _pixels, alpha in drawn]))[:, None] / 255
    return pixels.float(), alpha.float()


def _samples(files: list[Path], rng: random.Random) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """(RGB, alpha) without end, SIDE pixels square: one to three things on a background of some kind."""
    pictures: dict[Path, Image.Image] = {}
    while True:
        things = []
        for file in rng.sample(files, rng.choice((1, 1, 1, 2, 3))):
            if file not in pictures:
                with Image.open(file) as opened:
                    pictures[file] = opened.convert("RGBA").resize((96, 96), Image.Resampling.LANCZOS)
            things.append(pictures[file])
        kind = rng.choice(("plain", "plain", "gradient", "clouds", "decoded"))
        yield laid(things, kind, rng)


def laid(things: list[Image.Image], kind: str, rng: random.Random) -> tuple[np.ndarray, np.ndarray]:
    """(RGB, alpha) of things on one background. "decoded": blurred and full of blocks, as small models draw."""
    canvas = background(kind, rng).convert("RGBA")
    cover = Image.new("L", canvas.size)
    for index, thing in enumerate(things):
        share = rng.uniform(0.5, 0.95) if len(things) == 1 else rng.uniform(0.3, 0.55)
        if rng.random() < 0.3:
            thing = compose.turn_hue(thing, rng.uniform(0, 360))
        if rng.random() < 0.3:
            thing = thing.rotate(rng.uniform(-30, 30), Image.Resampling.BICUBIC)
        side = round(SIDE * share)
        small = thing.convert("RGBa").resize((side, side), Image.Resampling.LANCZOS).convert("RGBA")
        spread = 0.06 if len(things) == 1 else 0.3
        across, down = (round(SIDE * (0.5 + rng.uniform(-spread, spread)) - side / 2) for _ in range(2))
        corner = (across, down)
        if index == 0 and rng.random() < 0.3:  # a shadow belongs to the background
            shadow = Image.new("L", canvas.size)
            shadow.paste(small.getchannel("A").point(lambda value: value // 3), (corner[0] + 2, corner[1] + 5))
            canvas.paste((0, 0, 0, 255), (0, 0), shadow.filter(ImageFilter.GaussianBlur(3)))
        canvas.paste(small, corner, small)
        cover.paste(255, corner, small.getchannel("A"))
    pixels = canvas.convert("RGB")
    if kind == "decoded":
        pixels = pixels.resize((SIDE // 2, SIDE // 2), Image.Resampling.BOX)
        buffer = BytesIO()
        pixels.save(buffer, "JPEG", quality=rng.randint(25, 70))
        pixels = Image.open(buffer).resize((SIDE, SIDE), Image.Resampling.BICUBIC)
    return np.asarray(pixels), np.asarray(cover)


def background(kind: str, rng: random.Random) -> Image.Image:
    """A square without anything on it."""
    first, second = (_colour(rng) for _ in range(2))
    if kind == "gradient":
        mask = Image.linear_gradient("L").rotate(rng.choice((0, 90, 180, 270))).resize((SIDE, SIDE))
        return Image.composite(Image.new("RGB", (SIDE, SIDE), first), Image.new("RGB", (SIDE, SIDE), second), mask)
    if kind == "clouds":
        cells = rng.choice((3, 5, 9, 24))
        noise = np.random.default_rng(rng.getrandbits(32)).integers(0, 256, (cells, cells)).astype(np.uint8)
        mask = Image.fromarray(noise).resize((SIDE, SIDE), Image.Resampling.BICUBIC)
        return Image.composite(Image.new("RGB", (SIDE, SIDE), first), Image.new("RGB", (SIDE, SIDE), second), mask)
    return Image.new("RGB", (SIDE, SIDE), first)


def _colour(rng: random.Random) -> tuple[int, int, int]:
    if rng.random() < 0.5:
        return rng.choice([*captions.BACKGROUNDS.values()])
    return rng.randint(0, 255), rng.randint(0, 255), rng.randint(0, 255)


def _score(network, files: list[Path], kind: str) -> float:
    """The mean IoU over things that were not trained, one each, on backgrounds of that kind."""
    rng, overlaps = random.Random(1), []
    for start in range(0, len(files), 32):
        pairs = []
        for file in files[start : start + 32]:
            with Image.open(file) as opened:
                pairs.append(laid([opened.convert("RGBA")], kind, rng))
        pixels, alpha = _batch(iter(pairs), len(pairs))
        guess, truth = network(pixels) > 0, alpha > 0.5
        overlaps += ((guess & truth).sum((1, 2, 3)) / (guess | truth).sum((1, 2, 3))).tolist()
    return sum(overlaps) / len(overlaps)


if __name__ == "__main__":
    sys.exit(main())
