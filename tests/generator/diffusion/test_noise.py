"""Our forward process equals diffusers' schedulers."""

import pytest
import torch
from diffusers import DDIMScheduler, DDPMScheduler, FlowMatchEulerDiscreteScheduler
from diffusers.training_utils import compute_snr

from generator.diffusion import noise

SCHEDULES = {
    "linear": (noise.linear_betas, {"beta_start": 1e-4, "beta_end": 0.02}),
    "scaled_linear": (noise.scaled_linear_betas, {"beta_start": 0.00085, "beta_end": 0.012}),
    "squaredcos_cap_v2": (noise.cosine_betas, {}),
}
EXACT = {"rtol": 0, "atol": 1e-6}


@pytest.fixture
def batch() -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(0)
    x0 = torch.randn(8, 4, 6, 5, generator=generator)
    return x0, torch.randn(x0.shape, generator=generator), torch.tensor([0, 1, 10, 250, 500, 750, 998, 999])


@pytest.mark.parametrize("name", SCHEDULES)
def test_schedules(name):
    make, options = SCHEDULES[name]
    theirs = DDPMScheduler(beta_schedule=name, **options)
    torch.testing.assert_close(make(), theirs.betas, **EXACT)
    torch.testing.assert_close(noise.kept_signal(make()), theirs.alphas_cumprod, **EXACT)


@pytest.mark.parametrize("name", SCHEDULES)
def test_zero_terminal_snr(name):
    make, options = SCHEDULES[name]
    theirs = DDIMScheduler(beta_schedule=name, rescale_betas_zero_snr=True, **options)
    ours = noise.zero_terminal_snr(make())
    torch.testing.assert_close(ours, theirs.betas, **EXACT)
    assert noise.kept_signal(ours)[-1] == 0


@pytest.mark.parametrize("name", SCHEDULES)
def test_noising_and_targets(name, batch):
    make, options = SCHEDULES[name]
    x0, e, t = batch
    theirs = DDPMScheduler(beta_schedule=name, **options)
    kept = noise.kept_signal(make())[t]
    torch.testing.assert_close(noise.add_noise(x0, e, kept), theirs.add_noise(x0, e, t), **EXACT)
    torch.testing.assert_close(noise.velocity(x0, e, kept), theirs.get_velocity(x0, e, t), **EXACT)


@pytest.mark.parametrize("name", SCHEDULES)
def test_signal_to_noise(name, batch):
    make, options = SCHEDULES[name]
    theirs = compute_snr(DDPMScheduler(beta_schedule=name, **options), batch[2])
    torch.testing.assert_close(noise.signal_to_noise(noise.kept_signal(make())[batch[2]]), theirs, rtol=1e-5, atol=1e-6)


def test_flow_matching(batch):
    x0, e, _ = batch
    theirs = FlowMatchEulerDiscreteScheduler()
    steps = theirs.timesteps[[0, 1, 10, 250, 500, 750, 998, 999]]
    sigma = steps / 1000
    torch.testing.assert_close(noise.add_noise_by_flow(x0, e, sigma), theirs.scale_noise(x0, steps, e), **EXACT)
    # One Euler step from any sigma to 0 along the target gives the picture back.
    noisy = noise.add_noise_by_flow(x0, e, sigma)
    torch.testing.assert_close(noisy - sigma.view(-1, 1, 1, 1) * noise.flow(x0, e), x0, **EXACT)


def test_min_snr_weights_restate_one_loss_in_terms_of_x0():
    snr = torch.tensor([0.01, 1.0, 5.0, 400.0])
    in_x0 = snr.clamp(max=5.0)
    # |e - e'|² = SNR |x0 - x0'|² and |v - v'|² = (SNR + 1) |x0 - x0'|²: both weights must say the same.
    torch.testing.assert_close(noise.min_snr_weights(snr, "epsilon") * snr, in_x0)
    torch.testing.assert_close(noise.min_snr_weights(snr, "v_prediction") * (snr + 1), in_x0)
    with pytest.raises(ValueError, match="min-SNR"):
        noise.min_snr_weights(snr, "flow")
