"""The README of a data set, in English, as readers of such folders expect: Gebru et al. 2018 (arXiv:1803.09010)."""

from typing import Any


def card(about: dict[str, Any]) -> str:
    """Of its manifest."""
    counts, nearest = about["counts"], about["nearest"]
    classes = "".join(f"- {_line(label)}: {n}\n" for label, n in counts["by_class"].items())
    models = "".join(f"- {_model(one)}\n" for one in about["models"])
    left = counts["left_out"]
    return f"""---
task_categories:
- image-classification
- text-to-image
tags:
- synthetic
---
# {_line(about["data_set"])}

{counts["kept"]} synthetic pictures, drawn by a model from words and seeds. Put together on {about["made"][:10]} by
{_line(about["by"])}, {_line(about["team"])}.

    datasets.load_dataset("imagefolder", data_dir=".")

## Classes

{classes}
`metadata.jsonl` has the prompt (`text`), class (`label`), seed and model of each picture. `manifest.json` has the
hash of each file, and what was left out.

## Made with

{models}
## Nearest training picture

Each picture is compared with every picture that these models are known to have learned from: as it is and mirrored,
by PDQ, a hash of {nearest["bits"]} bits. `nearest_bits` is in how many of them the nearest one differs; null where
there was none to compare with; 31 or fewer is a copy. Of {counts["made"]} pictures were left out: {left["near"]} that
differ in fewer than {nearest["bound"]} bits, {left["draft"]} that nobody has approved, {left["gone"]} without a file.

PDQ finds copies of whole pictures, not of a part, a face or a style: look at the pictures before they are used, above
all where people or health are concerned.
"""


def _model(one: dict[str, Any]) -> str:
    version = f", version {one['version']}" if one["version"] else ""
    learned = one["training_pictures"]
    if learned["known"]:
        gone = f", {learned['gone']} of which are gone" if learned["gone"] else ""
        known = f"learned from {learned['count']} pictures{gone}"
    else:
        known = "what it has learned from is not known here: nothing was compared with it"
    licence = " ".join(filter(None, [_line(one["licence_name"]), one["licence_url"]]))
    return f"{_line(one['name'])}{version} ({one['kind']}): {known}. Licence: {licence}."


def _line(text: str) -> str:
    return " ".join(str(text).split())
