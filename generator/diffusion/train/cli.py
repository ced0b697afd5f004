"""python -m generator.diffusion train FOLDER -o RUN: a model from scratch, from a folder of pictures with captions.

With --subject KIND or --style, and --name, an existing model learns something new from a handful of pictures instead.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from pathlib import Path

from generator.diffusion.spec import Step
from generator.diffusion.starter.assemble import assemble
from generator.diffusion.train import teach


def add_parser(commands: argparse._SubParsersAction) -> None:
    """Adds the command `train`; its namespace carries `run`, which is called with it. Imports no torch."""
    parser = commands.add_parser("train", help="train a model from scratch, or teach one", description=__doc__)
    parser.add_argument(
        "data",
        type=Path,
        metavar="FOLDER",
        help="pictures with metadata.jsonl, .csv, .parquet, .txt files, or by class",
    )
    parser.add_argument(
        "-o", "--output", type=Path, required=True, metavar="RUN", help="folder of the run; called again, it goes on"
    )
    teach.add_arguments(parser)
    parser.add_argument("--size", type=int, metavar="PX", help="side of the pictures (128; taught: the model's)")
    parser.add_argument("--steps", type=int, metavar="N", help="steps of the denoiser (10000; taught: by pictures)")
    parser.add_argument("--decay", type=int, metavar="N", help="of these, with a falling learning rate (the last 30%%)")
    parser.add_argument("--autoencoder-steps", type=int, default=1000, metavar="N", help="(1000)")
    parser.add_argument("--batch", type=int, metavar="N", help="pictures at once (24; taught: the model's)")
    parser.add_argument("--accumulate", type=int, default=1, metavar="N", help="batches a step (1)")
    parser.add_argument("--learning-rate", type=float, metavar="R", help="(0.0005; taught: the model's)")
    parser.add_argument("--optimizer", choices=("adamw", "muon"), default="adamw")
    parser.add_argument("--precision", choices=("auto", "fp32", "bf16", "fp16"), default="auto")
    parser.add_argument("--compile", action="store_true", help="torch.compile: minutes to start, then faster")
    parser.add_argument("--widths", type=_numbers, default=(64, 192, 256), metavar="N,N,...", help="(64,192,256)")
    parser.add_argument("--save-every", type=int, default=250, metavar="N", help="steps lost at most by a crash (250)")
    parser.add_argument(
        "--sample-every", type=int, default=1000, metavar="N", help="steps between sample sheets (1000)"
    )
    parser.add_argument("--prompt", action="append", default=[], metavar="TEXT", help="what sample sheets show")
    parser.add_argument("--tensorboard", action="store_true")
    parser.add_argument("--seed", type=int, default=0, metavar="N")
    parser.add_argument("--words-from", metavar="C", help="checkpoint whose text encoder is used (the starter)")
    parser.add_argument("--home", type=Path, default=Path("var"), metavar="DIR", help="where the starter is put (var)")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Trains and prints where the result is. Raises SpecError, CheckpointError or OSError."""
    tell = _teller(sys.stderr.isatty())
    if arguments.subject or arguments.style:
        return teach.run(arguments, tell)
    # Torch is imported here, so that --help answers at once.
    from generator.diffusion.train import denoiser, loop, pretrain

    shared = {"compile": arguments.compile, "precision": arguments.precision, "seed": arguments.seed}
    told = {"save_every": arguments.save_every, "tensorboard": arguments.tensorboard}
    steps = 10_000 if arguments.steps is None else arguments.steps
    spec = pretrain.PretrainSpec(
        words_from=arguments.words_from or str(assemble(arguments.home / "models/starter")),
        size=128 if arguments.size is None else arguments.size,
        prompts=tuple(arguments.prompt),
        shape=denoiser.shape(arguments.widths),
        autoencoder=loop.LoopSpec(
            steps=arguments.autoencoder_steps,
            batch=pretrain.AUTOENCODER_BATCH,
            learning_rate=1e-3,
            warmup=50,
            decay=round(arguments.autoencoder_steps * 0.3),
            **shared,
            **told,
        ),
        denoiser=loop.LoopSpec(
            steps=steps,
            batch=24 if arguments.batch is None else arguments.batch,
            accumulate=arguments.accumulate,
            learning_rate=5e-4 if arguments.learning_rate is None else arguments.learning_rate,
            decay=arguments.decay if arguments.decay is not None else round(steps * 0.3),
            optimizer=arguments.optimizer,
            sample_every=arguments.sample_every,
            **shared,
            **told,
        ),
    )
    model = pretrain.pretrain(spec, pretrain.from_folder(arguments.data, spec.size), arguments.output, tell)
    sys.stdout.write(f"{model}\n")
    return 0


def _teller(on_screen: bool) -> Callable[[Step], None]:
    """Keeps one line on a terminal; says nothing into a file, where the run's own log.jsonl tells more."""

    def tell(step: Step) -> None:
        if on_screen:
            loss = "" if step.loss is None else f"  loss {step.loss:.4f}"
            sys.stderr.write(f"\r{step.index}/{step.total}{loss} ")
            sys.stderr.flush()

    return tell


def _numbers(text: str) -> tuple[int, ...]:
    try:
        return tuple(int(part) for part in text.split(","))
    except ValueError:
        raise argparse.ArgumentTypeError(f"“{text}” is not a list of whole numbers such as 64,192,256") from None
