"""What a file of weights says of itself: modelspec.*, and what kohya's trainer writes. Words of strangers: shown, never
obeyed."""

from __future__ import annotations

import base64
import binascii
import json
from collections import Counter
from typing import Any

from generator.diffusion.weights import Header

MOST = 2000  # letters of any one of them
TRIGGERS = 12
THUMBNAIL = 512 * 1024  # bytes
# What modelspec.architecture and ss_base_model_version begin with -> our families.
FAMILIES = {
    "stable-diffusion-xl": "sdxl",
    "stable-diffusion-v1": "sd1",
    "stable-diffusion-v2": "sd2",
    "stable-diffusion-v3": "sd3",
    "stable-diffusion-3": "sd3",
    "flux": "flux",
    "sdxl": "sdxl",
    "sd_v1": "sd1",
    "sd_v2": "sd2",
    "sd3": "sd3",
}
SPEC = ("title", "author", "description", "license", "architecture", "resolution", "date", "usage_hint")


def describe(header: Header) -> dict[str, Any]:
    """title, author, description, license, architecture, resolution..., family and triggers, as far as it says."""
    said = header.metadata
    facts: dict[str, Any] = {name: said[f"modelspec.{name}"][:MOST] for name in SPEC if said.get(f"modelspec.{name}")}
    if family := _family(said):
        facts["family"] = family
    if triggers := _triggers(said):
        facts["triggers"] = triggers
    if "ss_output_name" in said:
        facts.setdefault("title", said["ss_output_name"][:MOST])
    return facts


def thumbnail(header: Header) -> bytes | None:
    """The picture that modelspec.thumbnail holds as a data: address; not decoded here."""
    kind, _, data = header.metadata.get("modelspec.thumbnail", "").partition(";base64,")
    if not kind.startswith("data:image/") or len(data) > THUMBNAIL * 4 / 3:
        return None
    try:
        return base64.b64decode(data, validate=True)
    except binascii.Error:
        return None


def _family(said: dict[str, str]) -> str:
    for key in ("modelspec.architecture", "ss_base_model_version"):
        for start, family in FAMILIES.items():
            if said.get(key, "").lower().startswith(start):
                return family
    return ""


def _triggers(said: dict[str, str]) -> list[str]:
    """The phrase that the maker names, else the tags that most of its pictures had."""
    if phrase := said.get("modelspec.trigger_phrase", "").strip():
        return [part.strip()[:60] for part in phrase.split(",") if part.strip()][:TRIGGERS]
    try:
        folders = json.loads(said.get("ss_tag_frequency", "{}"))
        counts: Counter[str] = Counter()
        for tags in folders.values():
            counts.update({str(tag).strip()[:60]: int(count) for tag, count in tags.items()})
    except (ValueError, TypeError, AttributeError, RecursionError):
        return []
    return [tag for tag, _count in counts.most_common(TRIGGERS) if tag]
