"""The part of the command `train` that teaches an existing model a subject or a style from a handful of pictures."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable
from pathlib import Path

from generator.diffusion.spec import SpecError, Step
from generator.diffusion.starter.assemble import assemble, fingerprint
from generator.diffusion.starter.card import read_card
from generator.diffusion.train import checks, data, points
from generator.diffusion.train.defaults import METHODS
from generator.diffusion.train.planning import make
from generator.diffusion.train.spec import FinetuneSpec, Lineage


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What says that something is taught, and what. Imports no torch."""
    kinds = parser.add_mutually_exclusive_group()
    kinds.add_argument("--subject", metavar="KIND", help="teach a subject, of a kind such as bottle or dog")
    kinds.add_argument("--style", action="store_true", help="teach a style")
    parser.add_argument("--name", default="", metavar="NAME", help="what it is called, such as “Our bottle”")
    parser.add_argument("--word", default="", metavar="WORD", help="what prompts call it by (made from the name)")
    parser.add_argument("--method", choices=METHODS, default="lora", help="how it is taught (lora)")
    parser.add_argument("--checkpoint", metavar="C", help="what is taught: hub id, folder or file (the starter)")
    parser.add_argument("--rank", type=int, metavar="N", help="of the LoRA (the model's)")
    parser.add_argument("--vectors", type=int, metavar="N", help="of the embedding (the model's)")
    parser.add_argument("--anyway", action="store_true", help="teach from pictures that are not fit for it, too")


def run(arguments: argparse.Namespace, tell: Callable[[Step], None]) -> int:
    """Judges the pictures, teaches, and prints the file of the point that is proposed. Raises SpecError."""
    if not arguments.name:
        raise SpecError("Say what it is called: --name “Our bottle”.")
    examples = data.read_folder(arguments.data)  # before torch, whose import takes seconds
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    from generator.diffusion import pipelines
    from generator.diffusion.train import families
    from generator.diffusion.train.finetune import train_slice

    is_starter = arguments.checkpoint is None
    checkpoint = str(assemble(arguments.home / "models/starter")) if is_starter else arguments.checkpoint
    family = families.family_of(pipelines.load(checkpoint))
    spec = plan(arguments, checkpoint, family, len(examples))
    _judge(examples, spec, arguments.anyway)
    lineage = (
        Lineage("Starter", fingerprint(), read_card()["licence"]) if is_starter else Lineage(Path(checkpoint).name)
    )
    while not train_slice(spec, arguments.output, tell, lineage=lineage):
        pass
    chosen = points.propose(points.read(arguments.output / "points"))
    assert chosen is not None
    files = sorted(path for path in chosen.folder.iterdir() if path.suffix == ".safetensors" or path.is_dir())
    sys.stderr.write(f"Write “{spec.called}” in a prompt. Proposed: the point after {chosen.step} steps.\n")
    sys.stdout.write(f"{files[0]}\n")
    return 0


def plan(arguments: argparse.Namespace, checkpoint: str, family: str, count: int) -> FinetuneSpec:
    """The spec that the arguments ask for."""
    names = ("word", "steps", "batch", "learning_rate", "rank", "vectors")
    changes = {name: value for name in names if (value := getattr(arguments, name))}
    if "steps" in changes:
        changes |= {"decay": changes["steps"] // 4 if arguments.decay is None else arguments.decay}
    if "rank" in changes:
        changes["alpha"] = float(changes["rank"])
    return make(
        checkpoint,
        str(arguments.data),
        count=count,
        name=arguments.name,
        kind="style" if arguments.style else "subject",
        noun=arguments.subject or "",
        method=arguments.method,
        family=family,
        size=arguments.size or (read_card()["native_size"] if family == "starter" else None),
        seed=arguments.seed,
        accumulate=arguments.accumulate,
        **changes,
    )


def _judge(examples: list[data.Example], spec: FinetuneSpec, anyway: bool) -> None:
    """Says what is wrong with the pictures; raises SpecError where they are not fit."""
    verdicts = [checks.judge_example(example, spec.size) for example in examples]
    for example, verdict in zip(examples, verdicts, strict=True):
        for problem in verdict.problems:
            sys.stderr.write(f"{example.name}: {problem.words}\n")
    ready = checks.judge_set(verdicts, spec.kind)
    if not anyway and not (ready.is_ready and all(verdict.is_usable for verdict in verdicts)):
        raise SpecError(f"These pictures are not fit for it. {' '.join(ready.advice)} --anyway teaches nevertheless.")
    for advice in ready.advice:
        sys.stderr.write(f"{advice}\n")
