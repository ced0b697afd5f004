"""The engine without the web: python -m generator.diffusion sample PROMPT -o FILE --steps N --seed N [--checkpoint C]
and python -m generator.diffusion train FOLDER -o RUN.

Exit code 0: the pictures, or the model, are written. 1: it could not be done, and one line on stderr says why. 2: wrong
usage. 130: interrupted.
"""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from generator.diffusion.spec import SCHEDULERS, CheckpointError, ImageSpec, SpecError
from generator.diffusion.starter.assemble import assemble
from generator.diffusion.starter.card import read_card
from generator.diffusion.train import cli

if TYPE_CHECKING:
    from PIL.Image import Image

    from generator.diffusion.spec import Result, Step


def main(argv: list[str] | None = None) -> int:
    """Runs one command and returns its exit code."""
    arguments = _parser().parse_args(argv)
    try:
        return arguments.run(arguments)
    except (SpecError, CheckpointError) as error:
        print(f"error: {error}", file=sys.stderr)
    except OSError as error:
        print(f"error: {error.filename or arguments.output}: {error.strerror or error}", file=sys.stderr)
    except KeyboardInterrupt:
        print("\nstopped", file=sys.stderr)
        return 130
    return 1


def _parser() -> argparse.ArgumentParser:
    card = read_card()
    parser = argparse.ArgumentParser(prog="python -m generator.diffusion", description="The engine without the web.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    cli.add_parser(commands)
    sample = commands.add_parser("sample", help="make pictures of a prompt")
    sample.set_defaults(run=_sample)
    sample.add_argument("prompt", metavar="PROMPT")
    sample.add_argument(
        "-o", "--output", type=Path, required=True, metavar="FILE", help="of several, FILE-1, FILE-2, ..."
    )
    sample.add_argument("--checkpoint", metavar="C", help="hub id, diffusers folder or .safetensors file (the starter)")
    sample.add_argument("--negative-prompt", default="", metavar="TEXT", help="what the picture should not show")
    sample.add_argument("--count", type=int, default=1, metavar="N", help="number of pictures (1)")
    sample.add_argument("--steps", type=int, default=card["steps"], metavar="N", help=f"({card['steps']})")
    sample.add_argument("--seed", type=int, default=0, metavar="N", help="picture i has seed N + i (0)")
    sample.add_argument("--guidance", type=float, metavar="G", help=f"(starter {card['guidance']}, others 7)")
    sample.add_argument("--width", type=int, metavar="PX", help=f"(starter {card['native_size']}, others 512)")
    sample.add_argument("--height", type=int, metavar="PX", help="(the same as the width)")
    sample.add_argument(
        "--scheduler", choices=SCHEDULERS, default="default", help=", ".join(SCHEDULERS), metavar="NAME"
    )
    sample.add_argument("--filmstrip", type=Path, metavar="FILE", help="also write every step, one row a picture")
    sample.add_argument("--home", type=Path, default=Path("var"), metavar="DIR", help="where the starter is put (var)")
    return parser


def _sample(arguments: argparse.Namespace) -> int:
    starter = arguments.checkpoint is None
    card = read_card()
    guidance = arguments.guidance if arguments.guidance is not None else card["guidance"] if starter else 7.0
    width = arguments.width if arguments.width is not None else card["native_size"] if starter else 512
    spec = ImageSpec(
        checkpoint=str(assemble(arguments.home / "models/starter")) if starter else arguments.checkpoint,
        prompt=arguments.prompt,
        negative_prompt=arguments.negative_prompt,
        width=width,
        height=arguments.height if arguments.height is not None else width,
        count=arguments.count,
        steps=arguments.steps,
        guidance=guidance,
        seed=arguments.seed,
        scheduler=arguments.scheduler,
    )
    files = _files(arguments.output, spec.count)
    # Only now, when all that can be wrong without torch is known to be right: importing it takes seconds.
    # Threads that spin while they wait make torch ten times slower as soon as anything else runs on a small machine.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    from generator.diffusion import pipelines
    from generator.diffusion.sampling import generate

    pipeline = pipelines.load(spec.checkpoint)
    print(pipelines.describe_device(pipeline.device, pipeline.dtype), file=sys.stderr)
    strip: list[list[Image]] = [[] for _ in files]

    def on_step(step: Step) -> None:
        print(f"\rstep {step.index} of {step.total}", end="", file=sys.stderr, flush=True)
        if arguments.filmstrip:
            for row, preview in zip(strip, step.previews, strict=True):
                row.append(preview)

    result = generate(spec, on_step, pipeline=pipeline)
    print(file=sys.stderr)
    for file, image in zip(files, result.images, strict=True):
        image.save(file)
    if arguments.filmstrip:
        _filmstrip(strip).save(arguments.filmstrip)
    print(_summary(result, files), file=sys.stderr)
    return 0


def _files(output: Path, count: int) -> list[Path]:
    """Where the pictures go. Raises SpecError before any work for a place that cannot take them."""
    from PIL import Image

    if output.suffix.lower() not in Image.registered_extensions():
        raise SpecError(f"“{output}” is no picture file: give it an ending such as .png or .webp.")
    if not output.parent.is_dir():
        raise SpecError(f"There is no folder “{output.parent}”.")
    if count == 1:
        return [output]
    return [output.with_stem(f"{output.stem}-{number}") for number in range(1, count + 1)]


def _filmstrip(rows: list[list[Image]]) -> Image:
    from PIL import Image

    width, height = rows[0][0].size
    strip = Image.new("RGB", (width * len(rows[0]), height * len(rows)))
    for y, row in enumerate(rows):
        for x, frame in enumerate(row):
            strip.paste(frame, (x * width, y * height))
    return strip


def _summary(result: Result, files: list[Path]) -> str:
    timings = result.timings
    return (
        f"{', '.join(map(str, files))}: seed {', '.join(map(str, result.seeds))}, {result.scheduler}; "
        f"encoding {timings.encode_s:.2f} s, denoising {timings.denoise_s:.2f} s, decoding {timings.decode_s:.2f} s"
    )


if __name__ == "__main__":
    sys.exit(main())
