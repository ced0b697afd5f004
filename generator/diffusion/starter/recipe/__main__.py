"""Trains the starter that ships: python -m generator.diffusion.starter.recipe --art FOLDER -o RUN [--export]

Called again it goes on. Called with other --steps and --decay it goes on with those: to end a long run early, give the
step at which it should be finished. --export makes the result the starter: weights, in half precision, and card.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import sys
import time
from pathlib import Path

from generator.diffusion.spec import SIZE_MULTIPLE, CheckpointError, SpecError, Step
from generator.diffusion.starter.assemble import WEIGHTS
from generator.diffusion.starter.card import read_concepts
from generator.diffusion.starter.recipe import art

INDEX = "model_index.json"
UNSAID = ("_name_or_path", "lambda_min_clipped")
SAY_EVERY = 500


def main(argv: list[str] | None = None) -> int:
    """Trains, exports if asked, and returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m generator.diffusion.starter.recipe", description=__doc__)
    parser.add_argument("--art", type=Path, required=True, metavar="FOLDER", help="where the art is, or is fetched to")
    parser.add_argument("-o", "--output", type=Path, required=True, metavar="RUN")
    parser.add_argument("--steps", type=int, default=20_000, metavar="N", help="steps of the denoiser (20000)")
    parser.add_argument("--decay", type=int, default=8000, metavar="N", help="of these, with a falling rate (8000)")
    parser.add_argument("--batch", type=int, default=24, metavar="N", help="pictures a step of the denoiser (24)")
    parser.add_argument("--rate", type=float, default=6e-4, metavar="R", help="its learning rate (0.0006)")
    parser.add_argument("--average", type=float, default=0.999, metavar="D", help="decay of its moving average (0.999)")
    parser.add_argument("--autoencoder-steps", type=int, default=1000, metavar="N", help="(1000)")
    parser.add_argument("--autoencoder-batch", type=int, default=8, metavar="N", help="(8)")
    parser.add_argument("--each", type=int, default=16, metavar="N", help="captions for each piece of art (16)")
    parser.add_argument("--limit", type=int, metavar="N", help="only the first N things, for a quick look")
    parser.add_argument("--sample-every", type=int, default=1000, metavar="N", help="steps between sheets (1000)")
    parser.add_argument("--save-every", type=int, default=250, metavar="N", help="steps lost by a crash (250)")
    parser.add_argument("--tell-every", type=int, default=1, metavar="N", help="a GPU likes 50 (1)")
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
    from generator.diffusion.starter.recipe import training
    from generator.diffusion.train.loop import LoopSpec

    art.fetch(arguments.art)
    told = {
        "precision": arguments.precision,
        "compile": arguments.compile,
        "tell_every": arguments.tell_every,
        "save_every": arguments.save_every,
        "validate_every": arguments.save_every,
        "log_every": max(10, arguments.tell_every),
    }
    recipe = training.Recipe(
        each=arguments.each,
        autoencoder=LoopSpec(
            steps=arguments.autoencoder_steps,
            batch=arguments.autoencoder_batch,
            learning_rate=1e-3,
            warmup=50,
            decay=arguments.autoencoder_steps // 3,
            **told,
        ),
        denoiser=LoopSpec(
            steps=arguments.steps,
            decay=arguments.decay,
            batch=arguments.batch,
            learning_rate=arguments.rate,
            warmup=200,
            average_decay=arguments.average,
            sample_every=arguments.sample_every,
            **told,
        ),
    )
    began = time.monotonic()

    def say(step: Step) -> None:
        if step.index % SAY_EVERY == 0 or step.index == step.total:
            passed = time.monotonic() - began
            sys.stderr.write(f"{passed:.0f} s: step {step.index} of {step.total}, loss {step.loss:.4f}\n")

    pieces = art.read(arguments.art, read_concepts()[: arguments.limit], art.STYLES)
    return training.train(recipe, pieces, arguments.output, say)


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
        # Not the path on the machine that it was trained on, nor a bound that is infinite: JSON knows none.
        _write_json(weights / name, {key: settings[key] for key in settings if key not in UNSAID})
    card = json.loads((home / "card.json").read_text(encoding="utf-8"))
    card["native_size"] = SIZE_MULTIPLE * unet.config.sample_size
    card["description"] = re.sub(r"\bof \d+ everyday", f"of {len(read_concepts())} everyday", card["description"])
    _write_json(home / "card.json", card)


def _write_json(file: Path, content: dict[str, object]) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(content, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())
