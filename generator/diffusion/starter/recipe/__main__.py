"""Trains the starter that ships: python -m generator.diffusion.starter.recipe --art FOLDER -o RUN [--export]

Called again it goes on. Called with other --steps and --decay it goes on with those: to end a long run early, give the
step at which it should be finished. --export makes the result the starter: weights, in half precision, and card.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import re
import sys
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING

from PIL import Image

from generator.diffusion.spec import SIZE_MULTIPLE, CheckpointError, SpecError
from generator.diffusion.starter.assemble import WEIGHTS, assemble
from generator.diffusion.starter.card import read_concepts
from generator.diffusion.starter.recipe import art, compose

if TYPE_CHECKING:
    import numpy as np

SIZE = 128
INDEX = "model_index.json"
# Of each thing on each background: other places, sizes and captions.
VARIANTS = 4
# What the sample sheets show: easy and hard things, on colours that were trained with them and not.
SHOWN = (
    "3d render of red apple on a white background",
    "3d render of a rocket on a navy blue background",
    "3d render of a panda on a yellow background",
    "3d render of a guitar on a mint green background",
    "3d render of a birthday cake on a pink background",
    "3d render of a bicycle on a sky blue background",
    "3d render of a sunflower on a white background",
    "3d render of a pizza on a purple background",
    "3d render of a laptop on a beige background",
)


def main(argv: list[str] | None = None) -> int:
    """Trains, exports if asked, and returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m generator.diffusion.starter.recipe", description=__doc__)
    parser.add_argument("--art", type=Path, required=True, metavar="FOLDER", help="where the art is, or is fetched to")
    parser.add_argument("-o", "--output", type=Path, required=True, metavar="RUN")
    parser.add_argument("--steps", type=int, default=20_000, metavar="N", help="steps of the denoiser (20000)")
    parser.add_argument("--decay", type=int, default=8000, metavar="N", help="of these, with a falling rate (8000)")
    parser.add_argument("--precision", choices=("auto", "fp32", "bf16", "fp16"), default="auto")
    parser.add_argument("--compile", action="store_true", help="torch.compile: minutes to start, then faster")
    parser.add_argument("--export", action="store_true", help="replace the starter's weights when it is done")
    arguments = parser.parse_args(argv)
    # Threads that spin while they wait make torch ten times slower as soon as anything else runs on a small machine.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    try:
        model = train(arguments)
    except (art.ArtError, SpecError, CheckpointError) as error:
        sys.stderr.write(f"error: {error}\n")
        return 1
    if arguments.export:
        export(model, WEIGHTS.parent)
    sys.stdout.write(f"{WEIGHTS if arguments.export else model}\n")
    return 0


def train(arguments: argparse.Namespace) -> Path:
    """The finished run's diffusers folder."""
    from generator.diffusion.train import loop, pretrain

    art.fetch(arguments.art)
    pieces = art.read(arguments.art, read_concepts())
    pictures = pretrain.Pictures(
        key=sha256(json.dumps([piece.label for piece in pieces]).encode()).hexdigest(),
        count=VARIANTS * sum(len(trained_backgrounds(piece)) for piece in pieces),
        stream=lambda: composed(pieces),
    )
    spec = pretrain.PretrainSpec(
        words_from=str(assemble(arguments.output / "words")),
        size=SIZE,
        prompts=SHOWN,
        denoiser=loop.LoopSpec(
            steps=arguments.steps,
            decay=arguments.decay,
            learning_rate=6e-4,
            warmup=200,
            precision=arguments.precision,
            compile=arguments.compile,
            sample_every=1000,
        ),
    )
    return pretrain.pretrain(spec, pictures, arguments.output)


def composed(pieces: list[art.Art]) -> Iterator[tuple[np.ndarray, str]]:
    """Every thing on every background it is trained on, VARIANTS times: (RGB [SIZE, SIZE, 3] uint8, caption).

    The last time it is not alone in the middle but small in a corner, beside another thing, or in another colour.
    """
    rng = random.Random(0)
    pictures = {}
    for piece in pieces:
        with Image.open(piece.path) as opened:
            pictures[piece.label] = opened.convert("RGBA")
    for piece in pieces:
        picture = pictures[piece.label]
        for background in trained_backgrounds(piece):
            for _ in range(VARIANTS - 1):
                yield _told(compose.compose(piece, picture, background, rng, SIZE))
            yield _told(_special(piece, pieces, pictures, background, rng))


def trained_backgrounds(piece: art.Art) -> list[str]:
    """The backgrounds on which a thing is trained."""
    unseen = compose.unseen_backgrounds(piece.label)
    return [background for background in compose.BACKGROUNDS if background not in unseen]


def _special(
    piece: art.Art, pieces: list[art.Art], pictures: dict[str, Image.Image], background: str, rng: random.Random
) -> compose.Composed:
    picture = pictures[piece.label]
    kind = rng.choice(("placed", "pair", "recoloured"))
    if kind == "recoloured":
        recoloured = compose.compose_recoloured(piece, picture, background, rng, SIZE)
        if recoloured is not None:
            return recoloured
    company = [other for other in pieces if other is not piece and background in trained_backgrounds(other)]
    if kind == "pair" and company:
        other = rng.choice(company)
        return compose.compose_pair((piece, other), (picture, pictures[other.label]), background, rng, SIZE)
    return compose.compose_placed(piece, picture, background, rng, SIZE)


def _told(made: compose.Composed) -> tuple[np.ndarray, str]:
    return made.pixels, made.caption


def export(model: Path, home: Path) -> None:
    """Makes a diffusers folder the starter in `home`: `weights/`, from which assemble() makes an ordinary checkpoint,
    holds what is its own, in half precision; `card.json` then tells its size and how many things it draws."""
    from diffusers import UNet2DConditionModel

    from generator.diffusion.starter.autoencoder import PatchAutoencoder

    weights = home / "weights"
    unet = UNet2DConditionModel.from_pretrained(model / "unet")
    vae = PatchAutoencoder.from_pretrained(model / "vae")
    for name, part in (("unet", unet), ("vae", vae)):
        part.half().save_pretrained(weights / name)
    for name in (INDEX, "scheduler/scheduler_config.json"):
        settings = json.loads((model / name).read_text(encoding="utf-8"))
        settings.pop("_name_or_path", None)  # of the machine that it was trained on
        _write_json(weights / name, settings)
    card = json.loads((home / "card.json").read_text(encoding="utf-8"))
    card["native_size"] = SIZE_MULTIPLE * unet.config.sample_size
    card["description"] = re.sub(r"\bof \d+ everyday", f"of {len(read_concepts())} everyday", card["description"])
    _write_json(home / "card.json", card)


def _write_json(file: Path, content: dict[str, object]) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(content, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())
