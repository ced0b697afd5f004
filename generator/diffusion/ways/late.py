"""A scheduler that lets a run begin late, from a picture: so every text-to-image pipeline makes pictures of pictures.

One door for all families, also those for which diffusers has no image-to-image or inpainting pipeline (PixArt, Sana),
and for autoencoders whose channels its inpainting pipelines refuse (the starter's 16).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from typing import Any

import torch
from torch import Tensor

from generator.diffusion.spec import CheckpointError


@dataclass
class Entry:
    """Where a run begins: `latents` and `noise` of all its pictures as the denoiser takes them; `run` of `steps` steps.

    free: 1 where the picture is made anew, 0 where it is to stay; None: anew everywhere.
    first: the tensor that the pipeline is handed as its first latents. It is filled as soon as the noise level at which
        the run begins is known, which the pipeline itself decides.
    """

    latents: Tensor
    noise: Tensor
    steps: int
    run: int
    free: Tensor | None = None

    def __post_init__(self) -> None:
        self.first = self.noise.clone()


class LateScheduler:
    """Stands for a diffusers scheduler during one run: begins at the entry, and keeps to the picture outside of `free`.

    Beginning late is SDEdit (Meng et al. 2021, arXiv:2108.01073, algorithm 1). Putting the picture, noised to the level
    of the moment, back into what is to stay after every step is RePaint's equation 8 (Lugmayr et al. 2022,
    arXiv:2201.09865) without its resampling, as in Blended Latent Diffusion (Avrahami et al. 2022, arXiv:2206.02779).
    """

    def __init__(self, own: Any, entry: Entry) -> None:
        self._own = own
        self._entry = entry
        self._begin = 0
        self._done = 0
        # With the signatures of the real ones: pipelines look there for what they may pass.
        self.set_timesteps = _with_signature(own.set_timesteps, self._set_timesteps)
        if hasattr(own, "set_begin_index"):  # some know no indices, only timesteps
            self.set_begin_index = self._set_begin_index
        self.step = _with_signature(own.step, self._step)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._own, name)

    @property
    def timesteps(self) -> Tensor:
        """Those that are run."""
        return self._own.timesteps[self._begin :]

    def _set_begin_index(self, begin_index: int = 0) -> None:
        self._own.set_begin_index(self._begin + begin_index)

    def _set_timesteps(self, *args: Any, **kwargs: Any) -> None:
        self._own.set_timesteps(*args, **kwargs)
        self._begin = (self._entry.steps - self._entry.run) * getattr(self._own, "order", 1)
        self._done = 0
        if hasattr(self._own, "set_begin_index"):
            self._set_begin_index()
        begun = self._noised(self.timesteps[0])
        # Pipelines whose schedulers say so multiply their first latents with it.
        self._entry.first.copy_(begun / getattr(self._own, "init_noise_sigma", 1.0))

    def _step(self, model_output: Tensor, timestep: Any, sample: Tensor, *args: Any, **kwargs: Any) -> Any:
        if self._done == 0:
            self._check_entry(sample)
        self._done += 1
        stepped = self._own.step(model_output, timestep, sample, *args, **kwargs)
        if self._entry.free is None:
            return stepped
        is_tuple = isinstance(stepped, tuple)
        latents = self._blended(stepped[0] if is_tuple else stepped.prev_sample)
        if is_tuple:
            return latents, *stepped[1:]
        stepped.prev_sample = latents
        return stepped

    def _check_entry(self, sample: Tensor) -> None:
        expected = self._entry.first * getattr(self._own, "init_noise_sigma", 1.0)
        if not torch.allclose(sample.to(expected.dtype), expected, rtol=1e-2, atol=1e-2):
            raise CheckpointError("This kind of model cannot start from a picture here.")

    def _blended(self, latents: Tensor) -> Tensor:
        assert self._entry.free is not None
        left = self.timesteps[self._done :]
        kept = self._noised(left[0]) if len(left) else self._entry.latents
        return (kept + self._entry.free * (latents - kept)).to(latents.dtype)

    def _noised(self, timestep: Tensor) -> Tensor:
        """The picture at the noise level of that timestep, which must be the one that the scheduler comes to next."""
        entry = self._entry
        times = timestep.reshape(1).expand(len(entry.noise)).to(entry.noise.device)
        if hasattr(self._own, "scale_noise"):
            return self._own.scale_noise(entry.latents, times, entry.noise)
        return self._own.add_noise(entry.latents, entry.noise, times)


def _with_signature(real: Callable[..., Any], ours: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(real)
    def call(*args: Any, **kwargs: Any) -> Any:
        return ours(*args, **kwargs)

    return call
