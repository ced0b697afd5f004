"""A small network that names pictures, trained on the real art alone: the judge of what the starter draws.

It sees the art on every background, moved and blurred as a young model's pictures are, and not one generated picture.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812 (its name wherever torch is written)
from PIL import Image
from torch import Tensor, nn

# It looks at everything in this size, so a 64-px and a 128-px model are judged alike.
SIZE = 64
BATCH = 64
LEARNING_RATE = 3e-3
LABEL_SMOOTHING = 0.1
LIKELIEST = 5


class Recogniser(nn.Module):
    """[B, 3, 64, 64] in -1..1 -> logits [B, labels]."""

    def __init__(self, labels: int) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        for before, after in pairwise((3, 32, 64, 128, 256)):
            layers += [nn.Conv2d(before, after, 3, stride=2, padding=1, bias=False), nn.BatchNorm2d(after), nn.ReLU()]
        self.features = nn.Sequential(*layers)
        self.head = nn.Linear(256 * 4, labels)

    def embed(self, pictures: Tensor) -> Tensor:
        """What it saw, as a direction: [B, 1024] of length one."""
        return F.normalize(F.adaptive_avg_pool2d(self.features(pictures), 2).flatten(1), dim=1)

    def forward(self, pictures: Tensor) -> Tensor:
        return self.head(F.adaptive_avg_pool2d(self.features(pictures), 2).flatten(1))


def train(draw: Callable[[int], tuple[Tensor, Tensor]], labels: int, steps: int, seed: int = 0) -> Recogniser:
    """A recogniser of real pictures, in evaluation mode. draw(step) -> (pictures [B, 3, 64, 64] in -1..1, which of the
    labels they are [B])."""
    torch.manual_seed(seed)
    rng = np.random.default_rng(seed)
    model = Recogniser(labels).train()
    optimizer = torch.optim.AdamW(model.parameters(), lr=LEARNING_RATE, weight_decay=0.05)
    plan = torch.optim.lr_scheduler.OneCycleLR(optimizer, LEARNING_RATE, total_steps=steps)
    for step in range(steps):
        pictures, wanted = draw(step)
        loss = F.cross_entropy(model(disturb(pictures, rng)), wanted, label_smoothing=LABEL_SMOOTHING)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        plan.step()
    return model.eval()


def disturb(pictures: Tensor, rng: np.random.Generator) -> Tensor:
    """Real pictures made a little worse, each batch in its own way: moved, blurred, noisy."""
    down, across = (int(shift) for shift in rng.integers(-3, 4, 2))
    pictures = torch.roll(pictures, (down, across), dims=(2, 3))
    if rng.random() < 0.5:
        small = F.interpolate(pictures, scale_factor=float(rng.uniform(0.35, 0.8)), mode="area")
        pictures = F.interpolate(small, size=(SIZE, SIZE), mode="bilinear", align_corners=False)
    return pictures + torch.randn_like(pictures) * float(rng.uniform(0, 0.1))


@torch.no_grad()
def recognise(model: Recogniser, pictures: Tensor) -> tuple[Tensor, Tensor]:
    """(the LIKELIEST label numbers [N, 5], embeddings [N, 1024]) of pictures [N, 3, 64, 64] in -1..1."""
    parts = pictures.split(BATCH)
    likeliest = min(LIKELIEST, model.head.out_features)
    best = torch.cat([model(part).topk(likeliest).indices for part in parts])
    return best, torch.cat([model.embed(part) for part in parts])


def to_tensor(pixels: np.ndarray) -> Tensor:
    """[N, 64, 64, 3] uint8 -> [N, 3, 64, 64] in -1..1."""
    return torch.from_numpy(np.ascontiguousarray(pixels)).permute(0, 3, 1, 2).float().div(127.5).sub(1)


def look(pictures: Sequence[Image.Image]) -> Tensor:
    """PIL pictures of any size as the recogniser sees them, [N, 3, 64, 64] in -1..1."""
    sized = [picture.convert("RGB").resize((SIZE, SIZE), Image.Resampling.BOX) for picture in pictures]
    return to_tensor(np.stack([np.asarray(picture) for picture in sized]))
