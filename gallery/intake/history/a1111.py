"""What the webui of AUTOMATIC1111 and its forks write under "parameters": the prompts, then one line of settings."""

import json
import re
from typing import Any

_SETTING = re.compile(r'\s*([A-Za-z][\w \-/]*):\s*("(?:\\.|[^\\"])*"|[^,]*)(?:,|$)')
_LORA = re.compile(r"<lora:([^:>]{1,120})(?::([\d.]+))?[^>]*>")
_NEGATIVE = "Negative prompt:"


def read(words: str) -> dict[str, Any]:
    """The recipe, in our own names."""
    lines = words.strip().split("\n")
    last = next((n for n in range(len(lines) - 1, -1, -1) if lines[n].startswith("Steps: ")), None)
    if last is None:
        return {}
    prompt, negative = _prompts(lines[:last])
    given = {key.strip(): _unquoted(value) for key, value in _SETTING.findall("\n".join(lines[last:]))}
    sampler = given.get("Sampler", "")
    schedule = given.get("Schedule type", "")
    if schedule and schedule.lower() not in ("automatic", "") and schedule.lower() not in sampler.lower():
        sampler = f"{sampler} {schedule}"
    return {
        "prompt": prompt,
        "negative_prompt": negative,
        "steps": given.get("Steps"),
        "scheduler_label": sampler,
        "guidance": given.get("CFG scale"),
        "seed": given.get("Seed"),
        "checkpoint": given.get("Model", ""),
        "checkpoint_hash": given.get("Model hash", ""),
        "adapters": [{"name": name, "weight": weight or "1"} for name, weight in _LORA.findall(prompt)],
    }


def _prompts(lines: list[str]) -> tuple[str, str]:
    start = next((n for n, line in enumerate(lines) if line.startswith(_NEGATIVE)), len(lines))
    negative = "\n".join(lines[start:]).removeprefix(_NEGATIVE)
    return "\n".join(lines[:start]).strip(), negative.strip()


def _unquoted(value: str) -> str:
    value = value.strip()
    if value.startswith('"') and value.endswith('"'):
        try:
            return str(json.loads(value))
        except ValueError:
            return value.strip('"')
    return value
