"""What a training run needs to go on exactly where it stopped: weights, their average, the optimizers' moments.

Safetensors and JSON only, never a pickle: a run's folder may come from anywhere.
"""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from generator.diffusion.spec import SpecError

KEPT = 2
TENSORS = "state.safetensors"
FACTS = "state.json"


class StateError(SpecError):
    """A saved run that is broken, or that is of another model. The message says which."""


@dataclass(frozen=True)
class State:
    """The live objects of a run; saving reads them and loading writes into them.

    average: the moving average of the trained weights by name.
    """

    model: nn.Module
    average: Mapping[str, Tensor]
    optimizers: Sequence[torch.optim.Optimizer]


def save(state: State, folder: Path, facts: Mapping[str, Any]) -> Path:
    """Writes `folder/step-NNNNNNNN`, whole or not at all (a kill in between leaves the one before), and keeps KEPT.

    facts: what else must be known to go on, as JSON takes it; `step` names the folder.
    """
    folder.mkdir(parents=True, exist_ok=True)
    target = folder / f"step-{facts['step']:08d}"
    with tempfile.TemporaryDirectory(dir=folder, prefix=".saving-") as workshop:
        fresh = Path(workshop, "fresh")
        fresh.mkdir()
        save_file(_flatten(state), fresh / TENSORS)
        (fresh / FACTS).write_text(json.dumps(facts), encoding="utf-8")
        for path in fresh.iterdir():
            with path.open("rb") as file:
                os.fsync(file.fileno())
        shutil.rmtree(target, ignore_errors=True)
        fresh.rename(target)
    for old in find(folder)[:-KEPT]:
        shutil.rmtree(old)
    return target


def find(folder: Path) -> list[Path]:
    """The saved states in `folder`, oldest first."""
    return sorted(path for path in folder.glob("step-*") if (path / FACTS).is_file())


def load(state: State, saved: Path) -> dict[str, Any]:
    """Puts a saved state into `state` and returns its facts. Raises StateError where the two do not fit."""
    try:
        tensors = load_file(saved / TENSORS)
        facts: dict[str, Any] = json.loads((saved / FACTS).read_text(encoding="utf-8"))
        facts["step"] = int(facts["step"])
    except (OSError, ValueError, KeyError, TypeError, SafetensorError) as error:
        raise StateError(f"“{saved}” cannot be read: {error}") from None
    try:
        missing, unexpected = state.model.load_state_dict(_part(tensors, "model."), strict=False)
        if unexpected or set(missing) & _kept(state.model).keys():
            raise KeyError((unexpected or missing)[0])
        with torch.no_grad():
            for name, tensor in state.average.items():
                tensor.copy_(tensors[f"average.{name}"])
        for number, optimizer in enumerate(state.optimizers):
            _load_moments(optimizer, _part(tensors, f"optimizer.{number}."))
    except (KeyError, RuntimeError) as error:
        raise StateError(f"“{saved}” is of another model or optimizer: {error}") from None
    return facts


def _kept(model: nn.Module) -> dict[str, Tensor]:
    """What training can change: frozen weights, which may be gigabytes, come from their checkpoint again."""
    frozen = {name for name, parameter in model.named_parameters() if not parameter.requires_grad}
    return {name: tensor for name, tensor in model.state_dict().items() if name not in frozen}


def _flatten(state: State) -> dict[str, Tensor]:
    flat = {f"model.{name}": tensor for name, tensor in _kept(state.model).items()}
    flat |= {f"average.{name}": tensor for name, tensor in state.average.items()}
    for number, optimizer in enumerate(state.optimizers):
        for index, moments in optimizer.state_dict()["state"].items():
            flat |= {f"optimizer.{number}.{index}.{name}": torch.as_tensor(value) for name, value in moments.items()}
    # Tied weights share memory, which safetensors refuses; and a copy cannot change while it is being written.
    return {name: tensor.detach().cpu().contiguous().clone() for name, tensor in flat.items()}


def _load_moments(optimizer: torch.optim.Optimizer, tensors: Mapping[str, Tensor]) -> None:
    moments: dict[int, dict[str, Tensor]] = {}
    for key, tensor in tensors.items():
        index, name = key.split(".", 1)
        moments.setdefault(int(index), {})[name] = tensor
    # The groups (learning rate, betas) are the present run's: a resumed run may want others.
    optimizer.load_state_dict({"state": moments, "param_groups": optimizer.state_dict()["param_groups"]})


def _part(tensors: Mapping[str, Tensor], prefix: str) -> dict[str, Tensor]:
    return {name.removeprefix(prefix): tensor for name, tensor in tensors.items() if name.startswith(prefix)}
