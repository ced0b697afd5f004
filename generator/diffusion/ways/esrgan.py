"""Real-ESRGAN's networks (Wang et al. 2021, arXiv:2107.10833), with the names that their published weights use."""

from __future__ import annotations

from pathlib import Path

import torch
import torch.nn.functional as F  # noqa: N812 (its name wherever torch is written)
from safetensors import safe_open
from safetensors.torch import load_file
from torch import Tensor, nn

from generator.diffusion.spec import AdapterError

WEIGHTS = Path(__file__).parent / "weights" / "realesr-animevideov3-x4.safetensors"
FACTOR = 4


class Compact(nn.Module):
    """SRVGGNetCompact: plain convolutions at the small size, then one pixel shuffle. [B, 3, H, W] -> [B, 3, 4H, 4W]."""

    def __init__(self, width: int = 64, depth: int = 16) -> None:
        super().__init__()
        layers: list[nn.Module] = [nn.Conv2d(3, width, 3, padding=1), nn.PReLU(width)]
        for _ in range(depth):
            layers += [nn.Conv2d(width, width, 3, padding=1), nn.PReLU(width)]
        self.body = nn.Sequential(*layers, nn.Conv2d(width, 3 * FACTOR**2, 3, padding=1))

    def forward(self, x: Tensor) -> Tensor:
        return F.pixel_shuffle(self.body(x), FACTOR) + F.interpolate(x, scale_factor=float(FACTOR), mode="nearest")


class _Dense(nn.Module):
    """Five convolutions, each of which sees all before it."""

    def __init__(self, width: int, growth: int) -> None:
        super().__init__()
        for number in range(1, 5):
            setattr(self, f"conv{number}", nn.Conv2d(width + (number - 1) * growth, growth, 3, padding=1))
        self.conv5 = nn.Conv2d(width + 4 * growth, width, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        seen = x
        for number in range(1, 5):
            seen = torch.cat([seen, F.leaky_relu(getattr(self, f"conv{number}")(seen), 0.2)], dim=1)
        return x + 0.2 * self.conv5(seen)


class _Trunk(nn.Module):
    def __init__(self, width: int, growth: int) -> None:
        super().__init__()
        self.rdb1, self.rdb2, self.rdb3 = (_Dense(width, growth) for _ in range(3))

    def forward(self, x: Tensor) -> Tensor:
        return x + 0.2 * self.rdb3(self.rdb2(self.rdb1(x)))


class Residual(nn.Module):
    """RRDBNet, as in RealESRGAN_x4plus: [B, 3, H, W] -> [B, 3, 4H, 4W]."""

    def __init__(self, width: int = 64, depth: int = 23, growth: int = 32) -> None:
        super().__init__()
        self.conv_first = nn.Conv2d(3, width, 3, padding=1)
        self.body = nn.Sequential(*(_Trunk(width, growth) for _ in range(depth)))
        self.conv_body, self.conv_up1, self.conv_up2, self.conv_hr = (
            nn.Conv2d(width, width, 3, padding=1) for _ in range(4)
        )
        self.conv_last = nn.Conv2d(width, 3, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        first = self.conv_first(x)
        x = first + self.conv_body(self.body(first))
        for conv in (self.conv_up1, self.conv_up2):
            x = F.leaky_relu(conv(F.interpolate(x, scale_factor=2.0, mode="nearest")), 0.2)
        return self.conv_last(F.leaky_relu(self.conv_hr(x), 0.2))


def load(path: str = "") -> nn.Module:
    """The network of a .safetensors file, told by its tensors; empty: the one that ships. Raises AdapterError.

    Takes pictures in 0..1 and makes them four times as wide and high.
    """
    file = path or str(WEIGHTS)
    try:
        with safe_open(file, framework="pt") as tensors:
            shapes = {name: tensors.get_slice(name).get_shape() for name in tensors.keys()}  # noqa: SIM118
        network = _empty(shapes)
        network.load_state_dict(load_file(file))
    except Exception as error:
        says = f"“{file}” holds no Real-ESRGAN network that makes pictures larger: {error}"
        raise AdapterError(file, says) from error
    return network.float().eval()


def _empty(shapes: dict[str, list[int]]) -> nn.Module:
    if "conv_first.weight" in shapes:
        depth = len({name.split(".")[1] for name in shapes if name.startswith("body.")})
        growth = shapes["body.0.rdb1.conv1.weight"][0]
        return Residual(shapes["conv_first.weight"][0], depth, growth)
    depth = sum(len(shape) == 4 for shape in shapes.values()) - 2
    return Compact(shapes["body.0.weight"][0], depth)
