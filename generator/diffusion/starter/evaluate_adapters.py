"""Can the starter be taught? python -m generator.diffusion.starter.evaluate_adapters --art FOLDER --out FOLDER

Teaches things that it never saw, each from a few composed views, by DreamBooth with LoRA and by textual inversion, with
the defaults of train/spec.py. Prints one JSON object a teaching and a summary line, and exits 0 only if all bars hold.
What the figures mean: docs/teaching.md.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import random
import shutil
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image

from generator.diffusion.starter.assemble import assemble, fingerprint
from generator.diffusion.starter.card import read_card, read_concepts
from generator.diffusion.starter.evaluate import LABELS, MAX_DELTA_E, MIN_LABELS, RECOGNISER_STEPS, delta_e
from generator.diffusion.starter.recipe import art, captions, compose

if TYPE_CHECKING:
    import torch

    from generator.diffusion.starter import recogniser

# Each with what kind of thing it is, in a word that the starter knows.
THINGS = {"teapot": "pot", "penguin": "bird", "trophy": "cup"}
METHODS = ("lora", "embedding")
BACKGROUND = "blue"
COLOURS = ("white", "yellow", "mint green", "purple")
COLOUR_SEEDS = 5
MIN_GAIN = 0.5  # of the way from untaught to real pictures' own likeness
MAX_MINUTES = 15.0
MAX_TOP5_LOSS = 0.03
MAX_COLOUR_LOSS = 0.10
Z = 1.96  # a 95 % interval
DRAWN, BATCH = 8, 16


@dataclass(frozen=True)
class Judge:
    """What recognises pictures, and what is asked for every teaching alike."""

    recogniser: recogniser.Recogniser
    concepts: list[str]
    labels: int
    seeds: int
    size: int
    guidance: float

    def looks(self, pictures: Sequence[Image.Image]) -> torch.Tensor:
        from generator.diffusion.starter import recogniser

        return recogniser.recognise(self.recogniser, recogniser.look(pictures))[1]

    def hits(self, pipeline: Any) -> np.ndarray:
        """For each label and seed, whether it is among the five likeliest: [labels * seeds] bool."""
        from generator.diffusion.starter import recogniser

        every = max(1, len(self.concepts) // self.labels)
        wanted = np.repeat(np.arange(len(self.concepts))[::every][: self.labels], self.seeds)
        rng = random.Random(2)
        backgrounds = sorted(captions.BACKGROUNDS)
        texts = [captions.plain_caption(self.concepts[number], rng.choice(backgrounds)) for number in wanted]
        best, _looks = recogniser.recognise(self.recogniser, recogniser.look(self.draw(pipeline, texts)))
        found: np.ndarray = (best.numpy() == wanted[:, None]).any(axis=1)
        return found

    def draw(self, pipeline: Any, texts: Sequence[str]) -> list[Image.Image]:
        from generator.diffusion.train.pretrain import draw

        parts = [
            draw(pipeline, texts[at : at + BATCH], self.size, at, self.guidance) for at in range(0, len(texts), BATCH)
        ]
        return [picture for part in parts for picture in part]


def main(argv: list[str] | None = None) -> int:
    """Evaluates and returns the exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m generator.diffusion.starter.evaluate_adapters", description=__doc__
    )
    parser.add_argument("--art", type=Path, required=True, metavar="FOLDER", help="where the art is, or is fetched to")
    parser.add_argument("--out", type=Path, required=True, metavar="FOLDER", help="for the runs and sheets")
    parser.add_argument("--things", nargs="+", choices=THINGS, default=[*THINGS], help="(all)")
    parser.add_argument("--methods", nargs="+", choices=METHODS, default=[*METHODS], help="(all)")
    parser.add_argument("--views", type=int, default=12, metavar="N", help="pictures to learn from (12)")
    parser.add_argument("--labels", type=int, default=LABELS, metavar="N", help=f"how many to draw ({LABELS})")
    parser.add_argument("--seeds", type=int, default=2, metavar="N", help="pictures a label (2)")
    parser.add_argument("--steps", type=int, metavar="N", help="of training (the defaults)")
    parser.add_argument("--recogniser-steps", type=int, default=RECOGNISER_STEPS, metavar="N")
    arguments = parser.parse_args(argv)
    # Threads that spin while they wait make torch ten times slower as soon as anything else runs on a small machine.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    arguments.out.mkdir(parents=True, exist_ok=True)
    missed = []
    for report in evaluate(arguments):
        sys.stdout.write(json.dumps(report) + "\n")
        sys.stdout.flush()
        missed += [f"{report['thing']} by {report['method']}: {name}" for name in missed_bars(report)]
    sys.stdout.write(f"eval-adapters: {'missed: ' + ', '.join(missed) if missed else 'all bars hold'}\n")
    return 1 if missed else 0


def missed_bars(report: dict[str, Any]) -> list[str]:
    """The names of the figures that are not good enough."""
    missed = []
    if report["gain"] < MIN_GAIN:
        missed.append("gain")
    if report["minutes"] > MAX_MINUTES:
        missed.append("minutes")
    if report["colours_untaught"] - report["colours"] > MAX_COLOUR_LOSS:
        missed.append("colours")
    if report["top5_loss_high"] >= MAX_TOP5_LOSS:
        missed.append("top5 loss")
    if report["labels"] < MIN_LABELS:
        missed.append("labels")
    return missed


def evaluate(arguments: argparse.Namespace) -> Iterator[dict[str, Any]]:
    """A report for each thing and method, as soon as it is there."""
    from generator.diffusion import pipelines
    from generator.diffusion.starter import real, recogniser

    art.fetch(arguments.art)
    known = real.collect(art.read(arguments.art, read_concepts(), art.STYLES))
    card = read_card()
    judge = Judge(
        recogniser.train(known.draw, known.labels, arguments.recogniser_steps),
        read_concepts(),
        arguments.labels,
        arguments.seeds,
        card["native_size"],
        card["guidance"],
    )
    checkpoint = str(assemble(arguments.out / "starter"))
    untaught = judge.hits(pipelines.load(checkpoint))
    for piece in art.read_held_out(arguments.art, arguments.things):
        for method in arguments.methods:
            yield teach(piece, method, checkpoint, judge, untaught, arguments)


def teach(
    piece: art.Art, method: str, checkpoint: str, judge: Judge, untaught: np.ndarray, arguments: argparse.Namespace
) -> dict[str, Any]:
    """Teaches one thing by one method, and measures what became of it and of all else."""
    from generator.diffusion import adapters, pipelines, prompts
    from generator.diffusion.spec import Adapter
    from generator.diffusion.train import points
    from generator.diffusion.train.finetune import train_slice
    from generator.diffusion.train.journal import make_sheet
    from generator.diffusion.train.planning import make
    from generator.diffusion.train.spec import Lineage

    folder = arguments.out / f"{piece.label}-{method}"
    shutil.rmtree(folder, ignore_errors=True)  # the minutes count from the start
    noun = THINGS[piece.label]
    count = compose_views(piece, noun, folder / "views", arguments.views, judge.size)
    changes = {"steps": arguments.steps, "decay": arguments.steps // 4} if arguments.steps else {}
    spec = make(
        checkpoint,
        str(folder / "views"),
        count=count,
        name=f"our {piece.label}",
        noun=noun,
        method=method,
        family="starter",
        size=judge.size,
        **changes,
    )
    began = time.monotonic()
    while not train_slice(spec, folder / "run", lineage=Lineage("Starter", fingerprint(), read_card()["licence"])):
        pass
    minutes = (time.monotonic() - began) / 60
    chosen = points.propose(points.read(folder / "run/points"))
    assert chosen is not None

    pipeline: Any = pipelines.load(checkpoint)
    asked = f"a picture of {{}} on a {BACKGROUND} background"
    coloured = [f"a picture of {{}} on a {colour} background" for colour in COLOURS for _seed in range(COLOUR_SEEDS)]
    before = judge.draw(pipeline, [asked.format(f"a {piece.label}")] * DRAWN)
    before_coloured = judge.draw(pipeline, [text.format(f"a {piece.label}") for text in coloured])
    file = next(chosen.folder.glob("*.safetensors"))
    adapters.wear(pipeline, (Adapter(str(file), word=spec.word if method == "embedding" else ""),))
    prompts.forget(pipeline)
    after = judge.draw(pipeline, [asked.format(f"a {spec.called}")] * DRAWN)
    after_coloured = judge.draw(pipeline, [text.format(f"a {spec.called}") for text in coloured])
    taught = judge.hits(pipeline)
    adapters.wear(pipeline, ())

    real = real_views(piece, judge.size)
    make_sheet([*before, *after, *real], columns=DRAWN).save(folder / "sheet.png")
    looks = judge.looks(real)
    own = float((looks @ looks.T).sum() - len(real)) / (len(real) * (len(real) - 1))
    first, last = (float((judge.looks(pictures) @ looks.T).mean()) for pictures in (before, after))
    loss = untaught.astype(float) - taught
    return {
        "thing": piece.label,
        "method": method,
        "views": count,
        "steps": chosen.step,
        "minutes": round(minutes, 2),
        "untaught": round(first, 4),
        "taught": round(last, 4),
        "real": round(own, 4),
        "gain": round((last - first) / max(own - first, 1e-6), 4),
        "colours_untaught": right_colours(before_coloured),
        "colours": right_colours(after_coloured),
        "labels": min(judge.labels, len(judge.concepts)),
        "top5_untaught": round(float(untaught.mean()), 4),
        "top5_loss": round(float(loss.mean()), 4),
        "top5_loss_high": round(float(loss.mean() + Z * loss.std(ddof=1) / math.sqrt(len(loss))), 4),
    }


def compose_views(piece: art.Art, noun: str, folder: Path, count: int, size: int) -> int:
    """`count` views as a person would bring them: on other backgrounds than the one that is asked for, captioned."""
    folder.mkdir(parents=True, exist_ok=True)
    rng = random.Random(0)
    picture = piece.open()
    backgrounds = [name for name in sorted(captions.BACKGROUNDS) if "blue" not in name]
    lines = []
    for number, background in enumerate(rng.sample(backgrounds, count)):
        Image.fromarray(compose.compose(picture, background, rng, 2 * size)).save(folder / f"{number}.png")
        text = (
            f"{('a picture of', '3d render of')[number % 2]} a {noun} on {captions.with_article(background)} background"
        )
        lines.append(json.dumps({"file_name": f"{number}.png", "text": text}))
    (folder / "metadata.jsonl").write_text("\n".join(lines), encoding="utf-8")
    return count


def real_views(piece: art.Art, size: int) -> list[Image.Image]:
    """What should come out: the art itself on the background that is asked for, a little moved."""
    rng = random.Random(1)
    picture = piece.open()
    return [Image.fromarray(compose.compose(picture, BACKGROUND, rng, size)) for _ in range(DRAWN)]


def right_colours(pictures: Sequence[Image.Image]) -> float:
    """Share of pictures whose background is the one of COLOURS that was asked for."""
    asked = [colour for colour in COLOURS for _seed in range(COLOUR_SEEDS)]
    hits = [delta_e(picture, colour) < MAX_DELTA_E for picture, colour in zip(pictures, asked, strict=True)]
    return sum(hits) / len(hits)


if __name__ == "__main__":
    sys.exit(main())
