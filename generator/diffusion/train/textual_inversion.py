"""Textual inversion: new words whose vectors alone are learned, all else frozen. Gal et al. 2022 (arXiv:2208.01618)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from generator.diffusion import adapters
from generator.diffusion.spec import SpecError
from generator.diffusion.train import export, families
from generator.diffusion.train.families import Pipeline, Words
from generator.diffusion.train.spec import FinetuneSpec

# Further vectors of a word start near the first, or they would all learn the same.
SPREAD = 0.1


class Vectors(nn.Module):
    """What is learned: [vectors, width] float32 for each text encoder."""

    def __init__(self, starts: list[Tensor]) -> None:
        super().__init__()
        self.of_encoder = nn.ParameterList([nn.Parameter(start.detach().float().clone()) for start in starts])


class Extended(nn.Module):
    """A text encoder's table of vectors, with new ones for the ids from `first`: ids [B, T] -> [B, T, width]."""

    def __init__(self, table: nn.Embedding, new: nn.Parameter, first: int) -> None:
        super().__init__()
        self.table = table
        self.new = new
        self.first = first

    @property
    def weight(self) -> Tensor:
        """The known vectors: what the encoder's device and dtype are read from."""
        return self.table.weight

    def forward(self, ids: Tensor) -> Tensor:
        known = self.table(ids.clamp(max=self.first - 1))
        learned = self.new[(ids - self.first).clamp(min=0)].to(known.dtype)
        return torch.where((ids >= self.first).unsqueeze(-1), learned, known)


class Inversion:
    """A learner of vectors on a pipeline: its tokenizers know the word while it lasts."""

    def __init__(self, spec: FinetuneSpec, pipeline: Pipeline, captions: tuple[str, ...]) -> None:
        if not hasattr(pipeline, "load_textual_inversion"):
            raise SpecError("This model takes no embeddings. Teach it as a LoRA.")
        self.spec, self.pipeline, self.captions = spec, pipeline, captions
        self.denoiser: Any = families.denoiser_of(pipeline)
        self.tokens = [spec.word, *(f"{spec.word}_{number}" for number in range(1, spec.vectors))]
        self.undo: list[Callable[[], None]] = []
        parts = list(adapters.encoders(pipeline))
        for part in (self.denoiser, *(part["text_encoder"] for part in parts)):
            part.requires_grad_(False)
        if any(spec.word in part["tokenizer"].get_vocab() for part in parts):
            raise SpecError(f"The model knows the word “{spec.word}” already. Choose another one.")
        generator = torch.Generator().manual_seed(spec.seed)
        self.model = Vectors([_start(spec, **part, generator=generator) for part in parts]).to(self.denoiser.device)
        try:
            for part, new in zip(parts, self.model.of_encoder, strict=True):
                self._teach(part["text_encoder"], part["tokenizer"], new)
        except BaseException:
            self.close()
            raise

    def words(self, numbers: Tensor) -> Words:
        texts = [self.captions[number] for number in numbers.tolist()]
        return families.encode(self.pipeline, texts, numbers.device)

    def save(self, folder: Path, metadata: Mapping[str, str]) -> Path:
        vectors = [part.detach() for part in self.model.of_encoder]
        return export.save_embedding(vectors, self.spec.family, self.spec.word, folder, metadata)

    @contextmanager
    def untaught(self) -> Iterator[None]:
        yield  # the denoiser never changes

    def close(self) -> None:
        for undo in self.undo:
            undo()
        self.undo = []

    def _teach(self, encoder: Any, tokenizer: Any, new: nn.Parameter) -> None:
        table = encoder.get_input_embeddings()
        self.undo.append(adapters.bare(encoder, tokenizer))
        if tokenizer.add_tokens(self.tokens) != len(self.tokens):
            raise SpecError(f"The model knows the word “{self.spec.word}” already. Choose another one.")
        # New ids follow all others; T5's table of vectors is longer than its tokenizer's list of words.
        encoder.set_input_embeddings(Extended(table, new, tokenizer.convert_tokens_to_ids(self.tokens[0])))


def _start(spec: FinetuneSpec, text_encoder: Any, tokenizer: Any, generator: torch.Generator) -> Tensor:
    """[vectors, width]: those of the initialiser's words in turn, each but the first round a little apart."""
    ids = tokenizer(spec.initialiser or spec.noun or "thing", add_special_tokens=False).input_ids
    table = text_encoder.get_input_embeddings().weight.detach().float().cpu()
    some = table[torch.tensor(ids)]
    rounds = -(-spec.vectors // len(some))
    starts = some.repeat(rounds, 1)[: spec.vectors]
    apart = torch.randn(starts.shape, generator=generator) * table.std() * SPREAD
    apart[: len(some)] = 0
    return starts + apart
