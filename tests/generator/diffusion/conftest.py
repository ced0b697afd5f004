"""Tiny checkpoints on disk, made once a run, and the starter."""

from collections.abc import Callable
from pathlib import Path

import pytest

from generator.diffusion.spec import ImageSpec
from generator.diffusion.starter.assemble import assemble


@pytest.fixture(scope="session")
def tiny_folder(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """family -> the folder of its tiny checkpoint."""
    from tests.generator.diffusion import tiny

    root = tmp_path_factory.mktemp("checkpoints")

    def folder(family: str) -> Path:
        if not (root / family).exists():
            tiny.FAMILIES[family]().save_pretrained(root / family)
        return root / family

    return folder


@pytest.fixture(scope="session")
def starter(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the starter."""
    return assemble(tmp_path_factory.mktemp("models") / "starter")


@pytest.fixture
def spec_for() -> Callable[..., ImageSpec]:
    """A small, quick spec for a checkpoint; anything may be said otherwise."""

    def spec(checkpoint: Path, **changes: object) -> ImageSpec:
        settings = {"prompt": "a red apple", "width": 64, "height": 64, "steps": 3, **changes}
        return ImageSpec(checkpoint=str(checkpoint), **settings)

    return spec


@pytest.fixture
def offline(monkeypatch: pytest.MonkeyPatch) -> None:
    """No way to the hub, whatever the machine."""
    from huggingface_hub import constants

    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
