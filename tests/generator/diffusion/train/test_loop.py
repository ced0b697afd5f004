"""The loop against a reference written directly on torch and diffusers; killed and resumed; precision; progress."""

from __future__ import annotations

import json
import multiprocessing
import os
import signal
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from diffusers import DDPMScheduler, UNet2DConditionModel

from generator.diffusion import noise
from generator.diffusion.spec import Cancelled, SpecError
from generator.diffusion.train import denoiser, loop, state
from generator.diffusion.train.cache import Cache
from generator.diffusion.train.data import in_order

BATCH, SEED = 4, 3
SPEC = loop.LoopSpec(
    steps=50,
    batch=BATCH,
    learning_rate=2e-3,
    warmup=5,
    decay=20,
    seed=SEED,
    save_every=10,
    validate_every=0,
    log_every=1,
)
SHORT = replace(SPEC, steps=20, decay=8, save_every=4)


def make_model() -> UNet2DConditionModel:
    torch.manual_seed(0)
    shape = denoiser.DenoiserSpec(widths=(16, 32), attention=(False, True), heads=(2, 2))
    return denoiser.make(shape, latent_channels=4, sample_size=8, text_width=64)


def make_cache(count: int = 24) -> Cache:
    rng = np.random.default_rng(0)
    latents = rng.normal(size=(count, 4, 8, 8)).astype(np.float16)
    words = rng.normal(size=(6, 3, 64)).astype(np.float16)
    return Cache(latents, words, rng.integers(0, 5, count), ("a", "b", "c", "d", "e", ""))


def make_task() -> loop.Task:
    kept = noise.kept_signal(noise.cosine_betas())
    cache = make_cache()
    draws = denoiser.Draws(cache, np.arange(len(cache)), kept, BATCH, SEED)
    return loop.Task(make_model(), draws, denoiser.loss)


def losses_of(folder: Path) -> list[float]:
    lines = map(json.loads, (folder / "log.jsonl").read_text().splitlines())
    return [line["loss"] for line in lines if "loss" in line]


def reference_losses(steps: int) -> list[float]:
    """What the loop should do, written out: diffusers' scheduler, torch's optimizer, nothing of ours but the order."""
    model, cache = make_model().train(), make_cache()
    scheduler = DDPMScheduler(beta_schedule="squaredcos_cap_v2", prediction_type="v_prediction")
    optimizer = torch.optim.AdamW(model.parameters(), lr=2e-3, betas=(0.9, 0.98), weight_decay=0.01)
    losses = []
    for step in range(1, steps + 1):
        generator = torch.Generator().manual_seed(SEED + step * loop.MICRO_STRIDE)
        rows = in_order(step - 1, BATCH, len(cache), SEED)
        normal = torch.randn(BATCH, generator=generator)
        dropped = (torch.rand(BATCH, generator=generator) < 0.1).numpy()
        x0 = torch.from_numpy(cache.latents[rows]).float()
        e = torch.randn(x0.shape, generator=generator)
        t = (torch.sigmoid(normal * 1.1 + 0.9) * 1000).long()
        words = torch.from_numpy(cache.words[np.where(dropped, 5, cache.caption_of[rows])]).float()
        predicted = model(scheduler.add_noise(x0, e, t), t, words).sample
        loss = torch.nn.functional.mse_loss(predicted, scheduler.get_velocity(x0, e, t))
        for group in optimizer.param_groups:
            group["lr"] = 2e-3 * min(1, step / 5) * min(1, (50 - step + 1) / 20)
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        losses.append(loss.item())
    return losses


def test_losses_equal_a_reference_on_diffusers_step_for_step(tmp_path):
    loop.train(make_task(), SPEC, tmp_path)
    assert losses_of(tmp_path) == pytest.approx(reference_losses(50), rel=1e-4)


def train_until_killed(folder: Path, at: int, threads: int) -> None:
    def on_step(step):
        if step.index == at:
            os.kill(os.getpid(), signal.SIGKILL)

    # Another number of threads adds up in another order, and Adam makes much of the smallest difference.
    torch.set_num_threads(threads)
    loop.train(make_task(), SHORT, folder, on_step)


def test_killed_and_resumed_five_times_equals_undisturbed(tmp_path):
    calm, rough = tmp_path / "calm", tmp_path / "rough"
    expected = loop.train(make_task(), SHORT, calm)
    # Imports torch once and forks from there, before it has started a thread.
    processes = multiprocessing.get_context("forkserver")
    processes.set_forkserver_preload([__name__])
    for at in (2, 7, 9, 13, 17):
        process = processes.Process(target=train_until_killed, args=(rough, at, torch.get_num_threads()))
        process.start()
        process.join()
        assert process.exitcode == -signal.SIGKILL
    model = loop.train(make_task(), SHORT, rough)
    for name, tensor in expected.state_dict().items():
        torch.testing.assert_close(model.state_dict()[name], tensor, rtol=1e-4, atol=1e-5)
    # The log is one curve too: no step twice, none missing.
    assert losses_of(rough) == pytest.approx(losses_of(calm), rel=1e-4)


def test_only_the_last_states_are_kept_and_a_half_written_one_is_ignored(tmp_path):
    loop.train(make_task(), replace(SPEC, steps=5, save_every=2), tmp_path)
    saved = state.find(tmp_path / "states")
    assert [path.name for path in saved] == ["step-00000004", "step-00000005"]
    (tmp_path / "states/step-00000006").mkdir()
    assert state.find(tmp_path / "states") == saved


def test_a_state_of_another_model_is_refused(tmp_path):
    loop.train(make_task(), replace(SPEC, steps=2), tmp_path)
    other = loop.Task(torch.nn.Linear(2, 2), make_task().draw, denoiser.loss)
    with pytest.raises(state.StateError, match="another model"):
        loop.train(other, SPEC, tmp_path)


def test_a_broken_state_is_named(tmp_path):
    loop.train(make_task(), replace(SPEC, steps=2), tmp_path)
    saved = state.find(tmp_path / "states")[-1]
    (saved / state.TENSORS).write_bytes(b"broken")
    with pytest.raises(state.StateError, match="cannot be read"):
        loop.train(make_task(), SPEC, tmp_path)


def test_cancelling_saves_at_once(tmp_path):
    def stop(step):
        if step.index == 3:
            raise Cancelled

    with pytest.raises(Cancelled):
        loop.train(make_task(), SPEC, tmp_path, stop)
    assert state.find(tmp_path / "states")[-1].name == "step-00000003"


def test_every_step_is_told_with_its_loss(tmp_path):
    told = []
    loop.train(make_task(), replace(SPEC, steps=3), tmp_path, told.append)
    assert [(step.index, step.total) for step in told] == [(1, 3), (2, 3), (3, 3)]
    assert [step.loss for step in told] == losses_of(tmp_path)


def test_accumulated_micro_batches_make_one_step_of_their_mean(tmp_path):
    whole = make_task()
    pieces = loop.Task(make_model(), lambda index, generator: quarter(whole, index, generator), denoiser.loss)
    fixed = loop.Task(
        make_model(), lambda index, generator: whole.draw(0, torch.Generator().manual_seed(1)), denoiser.loss
    )
    spec = replace(SPEC, steps=1, average_decay=0.0)
    one = loop.train(fixed, spec, tmp_path / "one")
    four = loop.train(pieces, replace(spec, accumulate=BATCH), tmp_path / "four")
    for a, b in zip(one.parameters(), four.parameters(), strict=True):
        torch.testing.assert_close(a, b, rtol=1e-3, atol=2e-5)


def quarter(task, index, generator):
    drawn = task.draw(0, torch.Generator().manual_seed(1))
    return tuple(tensor[index : index + 1] for tensor in drawn)


@pytest.mark.parametrize("changes", [{"optimizer": "muon"}, {"precision": "bf16"}, {"accumulate": 2}])
def test_other_ways_to_train_learn_and_resume_too(tmp_path, changes):
    spec = replace(SHORT, **changes)
    calm = loop.train(make_task(), spec, tmp_path / "calm")
    loop.train(make_task(), replace(spec, steps=12, decay=0), tmp_path / "rough")
    losses = losses_of(tmp_path / "calm")
    assert np.mean(losses[-5:]) < np.mean(losses[:5])
    model = loop.train(make_task(), spec, tmp_path / "rough")
    for name, tensor in calm.state_dict().items():
        torch.testing.assert_close(model.state_dict()[name], tensor, rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize(
    "wrong", [{"steps": 0}, {"batch": -1}, {"precision": "int4"}, {"average_decay": 1.0}, {"decay": -1}]
)
def test_settings_without_sense_are_refused(wrong):
    with pytest.raises(SpecError):
        replace(SPEC, **wrong)
