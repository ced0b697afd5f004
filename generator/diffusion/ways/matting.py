"""The small network that tells a thing from its background: a U-Net on RGB, about 0.2 million weights."""

from __future__ import annotations

from pathlib import Path

import torch
import torch.nn.functional as F  # noqa: N812 (its name wherever torch is written)
from safetensors.torch import load_file
from torch import Tensor, nn

from generator.diffusion.spec import CheckpointError

WEIGHTS = Path(__file__).parent / "weights" / "matting.safetensors"
WIDTHS = (16, 24, 40, 64)
MULTIPLE = 2 ** (len(WIDTHS) - 1)  # what sides must be multiples of


class Block(nn.Sequential):
    """Two convolutions, each normalised: [B, C, H, W] -> [B, D, H, W]."""

    def __init__(self, channels: int, out: int) -> None:
        super().__init__(
            nn.Conv2d(channels, out, 3, padding=1),
            nn.GroupNorm(8, out),
            nn.SiLU(),
            nn.Conv2d(out, out, 3, padding=1),
            nn.GroupNorm(8, out),
            nn.SiLU(),
        )


class Matting(nn.Module):
    """RGB [B, 3, H, W] in -1..1, sides multiples of MULTIPLE -> logits of what belongs to a thing, [B, 1, H, W]."""

    def __init__(self, widths: tuple[int, ...] = WIDTHS) -> None:
        super().__init__()
        # Where a pixel lies helps: things stand in the middle, and edges are background more often than not.
        self.down = nn.ModuleList(Block(before, width) for before, width in zip((5, *widths), widths, strict=False))
        self.up = nn.ModuleList(
            Block(below + width, width) for below, width in zip(widths[:0:-1], widths[-2::-1], strict=True)
        )
        self.out = nn.Conv2d(widths[0], 1, 1)

    def forward(self, pixels: Tensor) -> Tensor:
        x = torch.cat([pixels, _places(pixels)], dim=1)
        skipped: list[Tensor] = []
        for block in self.down:
            x = block(x if not skipped else F.avg_pool2d(x, 2))
            skipped.append(x)
        for block, beside in zip(self.up, skipped[-2::-1], strict=True):
            x = block(torch.cat([F.interpolate(x, scale_factor=2.0, mode="nearest"), beside], dim=1))
        return self.out(x)


def _places(pixels: Tensor) -> Tensor:
    height, width = pixels.shape[-2:]
    y = torch.linspace(-1, 1, height, device=pixels.device, dtype=pixels.dtype).view(1, 1, height, 1)
    x = torch.linspace(-1, 1, width, device=pixels.device, dtype=pixels.dtype).view(1, 1, 1, width)
    places = torch.cat([y.expand(1, 1, height, width), x.expand(1, 1, height, width)], dim=1)
    return places.expand(len(pixels), -1, -1, -1)


def load(path: str = "") -> Matting:
    """The network with the weights of a .safetensors file; empty: those that ship. Raises CheckpointError."""
    file = path or str(WEIGHTS)
    try:
        tensors = load_file(file)
        levels = sum(name.startswith("down.") and name.endswith(".0.weight") for name in tensors)
        widths = tuple(tensors[f"down.{level}.0.weight"].shape[0] for level in range(levels))
        network = Matting(widths)
        network.load_state_dict(tensors)
    except Exception as error:
        raise CheckpointError(f"“{file}” holds no network that cuts things out: {error}") from error
    return network.float().eval()
