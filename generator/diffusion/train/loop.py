"""The one training loop: any model, any loss, resumable to float tolerance.

Everything random in a step comes from (seed, step) alone, so a run that was killed and resumed draws what the
undisturbed one would have drawn, and nothing of a random generator's state has to be kept.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import torch
from accelerate import Accelerator
from torch import Tensor, nn

from generator.diffusion.spec import Cancelled, SpecError, Step
from generator.diffusion.train import optimizers, state
from generator.diffusion.train.journal import Journal

if TYPE_CHECKING:
    from PIL.Image import Image

PRECISIONS = {"fp32": None, "bf16": torch.bfloat16, "fp16": torch.float16}
# Far apart, so that no two (step, micro-batch, process) of a run share their random numbers.
MICRO_STRIDE, PROCESS_STRIDE = 1_000_003, 7_368_787


@dataclass(frozen=True, kw_only=True)
class LoopSpec:
    """How long and how to train. Raises SpecError for values that make no sense.

    batch: pictures a micro-batch; `accumulate` micro-batches make a step.
    warmup, decay: steps over which the learning rate rises at the start and falls to zero at the end.
    precision: "auto" takes bf16 on a CUDA device that has it, and fp32 elsewhere.
    save_every, validate_every, sample_every, log_every: in steps; 0 is never.
    tell_every: in steps, how often `on_step` is called. A GPU that is asked for its loss waits, so seldom is faster.
    """

    steps: int
    batch: int = 24
    accumulate: int = 1
    learning_rate: float = 5e-4
    warmup: int = 100
    decay: int = 0
    optimizer: str = "adamw"
    average_decay: float = 0.999
    clip: float = 1.0
    precision: str = "auto"
    compile: bool = False
    seed: int = 0
    save_every: int = 250
    validate_every: int = 250
    sample_every: int = 0
    log_every: int = 10
    tell_every: int = 1
    tensorboard: bool = False

    def __post_init__(self) -> None:
        for name in ("steps", "batch", "accumulate", "learning_rate", "clip", "tell_every"):
            if not getattr(self, name) > 0:
                raise SpecError(f"In training, {name} must be above zero, not {getattr(self, name)}.")
        for name in ("warmup", "decay", "save_every", "validate_every", "sample_every", "log_every", "seed"):
            if getattr(self, name) < 0:
                raise SpecError(f"In training, {name} cannot be below zero, and is {getattr(self, name)}.")
        if not 0 <= self.average_decay < 1:
            raise SpecError(f"In training, average_decay must be from 0 to below 1, not {self.average_decay}.")
        if self.precision not in ("auto", *PRECISIONS):
            raise SpecError(f"There is no precision “{self.precision}”. Choose auto, {', '.join(PRECISIONS)}.")


class Draw(Protocol):
    """Draws what one micro-batch needs, noise and timesteps included, with `generator` as the only source of chance.

    index counts micro-batches over all processes from 0, for going through the data in order.
    """

    def __call__(self, index: int, generator: torch.Generator) -> tuple[Tensor, ...]: ...


@dataclass(frozen=True)
class Task:
    """What is trained. `loss(model, *drawn)` holds no chance and no branches, so that it can be compiled.

    validate: called with the averaged weights in place, answers with figures for the log.
    sample: likewise, and with the step, answers with pictures for the sample sheet; before a state of this step is
        saved, so whatever it writes is there whenever the run goes on behind it. At the last step both are due.
    """

    model: nn.Module
    draw: Draw
    loss: Callable[..., Tensor]
    validate: Callable[[nn.Module], dict[str, float]] | None = None
    sample: Callable[[nn.Module, int], Sequence[Image]] | None = None


def train(task: Task, spec: LoopSpec, folder: Path, on_step: Callable[[Step], None] = lambda step: None) -> nn.Module:
    """Trains until `spec.steps`, going on from the newest state in `folder` if there is one.

    Calls `on_step` after every step, or as often as the spec says; Cancelled raised in it saves, then goes through.
    Returns the model, unwrapped, with the averaged weights in place and in evaluation mode.
    """
    run = _Run(task, spec, folder)
    try:
        while run.step < spec.steps:
            run.advance(on_step)
    except Cancelled:
        run.save()
        raise
    finally:
        run.journal.close()
    run.save()
    run.accelerator.wait_for_everyone()
    with torch.no_grad():
        run.swap()
    return run.model.eval()


class _Run:
    """The live objects of one run, between two steps."""

    def __init__(self, task: Task, spec: LoopSpec, folder: Path) -> None:
        self.task, self.spec, self.folder = task, spec, folder
        self.accelerator = Accelerator()
        self.device = self.accelerator.device
        self.model = task.model.to(self.device).train()
        self.dtype = _precision(spec.precision, self.device)
        self.optimizers = optimizers.make_optimizers(self.model, spec.optimizer, spec.learning_rate)
        self.trained = {name: tensor for name, tensor in self.model.named_parameters() if tensor.requires_grad}
        self.average = {name: tensor.detach().clone() for name, tensor in self.trained.items()}
        # Moments are loaded before prepare() so that they land beside their parameters.
        saved = state.find(folder / "states")
        facts: dict[str, Any] = state.load(self.state, saved[-1]) if saved else {"step": 0}
        self.step = self.saved = int(facts["step"])
        self.wrapped = self.accelerator.prepare_model(self.model)
        # float16 alone has too small a range for gradients; elsewhere the scaler does nothing.
        self.scaler = torch.amp.GradScaler(self.device.type, enabled=self.dtype is torch.float16)
        self.scaler.load_state_dict(facts.get("scaler") or self.scaler.state_dict())
        self.loss = torch.compile(self._loss) if spec.compile else self._loss
        self.journal = Journal(folder, self.step, tensorboard=spec.tensorboard, main=self.accelerator.is_main_process)
        self.since, self.seen = time.monotonic(), 0

    @property
    def state(self) -> state.State:
        return state.State(self.model, self.average, self.optimizers)

    def advance(self, on_step: Callable[[Step], None]) -> None:
        """One step: gradients, update, average; then what is due: log, validation, samples, a save."""
        spec = self.spec
        step = self.step + 1
        rate = spec.learning_rate * optimizers.learning_rate_factor(
            step, steps=spec.steps, warmup=spec.warmup, decay=spec.decay
        )
        optimizers.set_learning_rate(self.optimizers, rate)
        losses = self._gradients(step)
        for optimizer in self.optimizers:
            self.scaler.unscale_(optimizer)
        norm = self.accelerator.clip_grad_norm_(self.trained.values(), spec.clip)
        for optimizer in self.optimizers:
            self.scaler.step(optimizer)
            optimizer.zero_grad(set_to_none=True)
        self.scaler.update()
        optimizers.update_average(list(self.average.values()), list(self.trained.values()), spec.average_decay, step)
        self.step = step
        self.seen += spec.batch * spec.accumulate * self.accelerator.num_processes
        if _due(step, spec.log_every):
            self._log(float(losses), rate, float(norm))
        previews = self._look(step)
        if _due(step, spec.save_every):
            self.save()
        if previews or _due(step, spec.tell_every, spec.steps):
            on_step(Step(step, spec.steps, previews, float(losses)))

    def save(self) -> None:
        """Writes the state of now, unless it is there already."""
        if self.accelerator.is_main_process and self.step != self.saved:
            facts = {
                "step": self.step,
                "processes": self.accelerator.num_processes,
                "scaler": self.scaler.state_dict(),
                "spec": asdict(self.spec),
            }
            state.save(self.state, self.folder / "states", facts)
        self.saved = self.step

    def swap(self) -> None:
        """The averaged weights into the model, and the model's into the average."""
        for name, tensor in self.trained.items():
            current = tensor.detach().clone()
            tensor.copy_(self.average[name])
            self.average[name].copy_(current)

    def _loss(self, *drawn: Tensor) -> Tensor:
        with torch.autocast(self.device.type, dtype=self.dtype, enabled=self.dtype is not None):
            return self.task.loss(self.wrapped, *drawn)

    def _gradients(self, step: int) -> Tensor:
        """Sums the gradients of the step's micro-batches; returns their mean loss."""
        spec, process = self.spec, self.accelerator.process_index
        losses = []
        for micro in range(spec.accumulate):
            index = ((step - 1) * spec.accumulate + micro) * self.accelerator.num_processes + process
            seed = spec.seed + step * MICRO_STRIDE + micro * PROCESS_STRIDE + process
            generator = torch.Generator(self.device).manual_seed(seed)
            drawn = self.task.draw(index, generator)
            # Dropout draws from the global generator.
            torch.manual_seed(seed)
            with self.accelerator.no_sync(self.wrapped) if micro + 1 < spec.accumulate else nullcontext():
                loss = self.loss(*drawn)
                self.accelerator.backward(self.scaler.scale(loss / spec.accumulate))
            losses.append(loss.detach())
        return torch.stack(losses).mean()

    def _log(self, loss: float, rate: float, norm: float) -> None:
        now = time.monotonic()
        pace = self.seen / max(now - self.since, 1e-9)
        self.since, self.seen = now, 0
        self.journal.write(self.step, loss=loss, learning_rate=rate, gradient_norm=norm, pictures_per_second=pace)

    @torch.no_grad()
    def _look(self, step: int) -> Sequence[Image]:
        """Validation and samples, where due, with the averaged weights in place. Returns the samples."""
        spec = self.spec
        validate = self.task.validate if _due(step, spec.validate_every, spec.steps) else None
        sample = self.task.sample if _due(step, spec.sample_every, spec.steps) else None
        if not self.accelerator.is_main_process or not (validate or sample):
            return ()
        began = time.monotonic()
        self.swap()
        self.model.eval()
        try:
            if validate:
                self.journal.write(step, **validate(self.model))
            pictures = sample(self.model, step) if sample else ()
        finally:
            self.swap()
            self.model.train()
        if pictures:
            self.journal.draw(step, pictures)
        self.since += time.monotonic() - began
        return pictures


def main_first() -> AbstractContextManager[None]:
    """What makes a file unless it is there: one process of several makes it, before the others find it."""
    return Accelerator().main_process_first()


def write_once(write: Callable[[], object]) -> None:
    """One process of several writes; all go on when it has."""
    accelerator = Accelerator()
    if accelerator.is_main_process:
        write()
    accelerator.wait_for_everyone()


def device() -> torch.device:
    """Where this process trains."""
    found: torch.device = Accelerator().device
    return found


def _precision(name: str, device: torch.device) -> torch.dtype | None:
    if name != "auto":
        return PRECISIONS[name]
    return torch.bfloat16 if device.type == "cuda" and torch.cuda.is_bf16_supported() else None


def _due(step: int, every: int, last: int = 0) -> bool:
    return every > 0 and (step % every == 0 or step == last)
