"""Whose settings a file holds, and the recipe that they become: known keys only, each within what a column takes."""

import json
import math
import re
from collections.abc import Mapping
from typing import Any

from gallery.intake.history import a1111, comfyui, invokeai

LONGEST = 20_000  # characters of a prompt
MOST_LORAS = 30
_UNUSABLE = re.compile("[\x00\ud800-\udfff]")  # what no database takes in a text

# Our names for what others call a sampler, written without spaces, signs and "k_".
_SCHEDULERS = {
    "euler": "euler",
    "eulera": "euler_a",
    "eulerancestral": "euler_a",
    "heun": "heun",
    "ddim": "ddim",
    "unipc": "unipc",
    "dpm2m": "dpmpp_2m",
    "dpmpp2m": "dpmpp_2m",
    "dpm2mkarras": "dpmpp_2m_karras",
    "dpmpp2mkarras": "dpmpp_2m_karras",
    "dpm2msde": "dpmpp_2m_sde",
    "dpmpp2msde": "dpmpp_2m_sde",
}
# What a recipe of ours, written into a file by this studio or another one, may bring along.
_OWN_TEXTS = {
    "prompt": LONGEST,
    "negative_prompt": LONGEST,
    "style": 60,
    "format": 20,
    "scheduler": 40,
    "scheduler_label": 60,
    "checkpoint": 120,
    "checkpoint_hash": 128,
    "licence": 120,
    "licence_url": 300,
    "attribution": 500,
}


def read_history(text: Mapping[str, str], comment: str = "") -> dict[str, Any]:
    """The recipe in a file's text chunks, or in the comment of its EXIF; {} where there is none.

    Never raises: what is malformed is as if it were not there.
    """
    readers = (
        ("Atelier", text.get("atelier"), _own),
        ("InvokeAI", text.get("invokeai_metadata"), invokeai.read),
        ("InvokeAI", text.get("sd-metadata"), invokeai.read_old),
        ("InvokeAI", text.get("Dream") or text.get("dream"), invokeai.read_dream),
        ("A1111", text.get("parameters"), a1111.read),
        ("ComfyUI", text.get("prompt"), comfyui.read),
        ("A1111", comment, a1111.read),
    )
    for program, words, reader in readers:
        if not words:
            continue
        try:
            recipe = _cleaned(reader(words))
        except (ValueError, TypeError, KeyError, AttributeError, IndexError, RecursionError):
            continue
        if recipe:
            return {**recipe, "read_from": program}
    return {}


def _own(words: str) -> dict[str, Any]:
    recipe = json.loads(words)
    wanted = (*_OWN_TEXTS, "steps", "guidance", "seed", "adapters")
    return {key: recipe[key] for key in wanted if key in recipe} if isinstance(recipe, dict) else {}


def _cleaned(raw: dict[str, Any]) -> dict[str, Any]:
    recipe: dict[str, Any] = {}
    for key, longest in _OWN_TEXTS.items():
        value = raw.get(key)
        if isinstance(value, str) and (value := plain(value)[:longest].strip()):
            recipe[key] = value
    for key, most in (("steps", 10_000), ("seed", 2**63 - 1)):
        value = _number(raw.get(key))
        if value is not None and 0 <= int(value) <= most:
            recipe[key] = int(value)
    guidance = _number(raw.get("guidance"))
    if guidance is not None and 0 <= guidance <= 1000:
        recipe["guidance"] = float(guidance)
    if loras := _loras(raw.get("adapters")):
        recipe["adapters"] = loras
    if "scheduler_label" in recipe and "scheduler" not in recipe:
        recipe["scheduler"] = scheduler(recipe["scheduler_label"])
    return recipe if recipe.get("prompt") or "seed" in recipe else {}


def _number(value: Any) -> int | float | None:
    """As a number; whole ones exactly, since seeds have more digits than a float."""
    if isinstance(value, bool) or value is None:
        return None
    if isinstance(value, str) and re.fullmatch(r"\d{1,20}", value.strip()):
        return int(value)
    try:
        number = value if isinstance(value, int) else float(value)
    except (TypeError, ValueError):
        return None
    return number if isinstance(number, int) or math.isfinite(number) else None


def _loras(raw: Any) -> list[dict[str, Any]]:
    found = []
    for one in raw if isinstance(raw, list) else []:
        if isinstance(one, dict) and isinstance(one.get("name"), str) and len(found) < MOST_LORAS:
            weight = _number(one.get("weight"))
            weight = 1.0 if weight is None else min(float(weight), 100.0)
            found.append({"name": plain(one["name"])[:120], "weight": round(weight, 3)})
    return found


def scheduler(label: str) -> str:
    """Ours for theirs; theirs, shortened, where we have none such."""
    bare = re.sub(r"[^a-z0-9]", "", label.lower().removeprefix("k_").replace("++", ""))
    return _SCHEDULERS.get(bare, label[:40])


def plain(text: str) -> str:
    """Without what no database stores."""
    return _UNUSABLE.sub("", text)
