"""What InvokeAI writes: "invokeai_metadata" since 3.0, "sd-metadata" before, and "Dream", the command line of 2022."""

import json
import re
import shlex
from typing import Any


def read(words: str) -> dict[str, Any]:
    """InvokeAI 3 and later."""
    data = json.loads(words)
    model = data.get("model") or {}
    model = model.get("model") or model if isinstance(model, dict) else {"name": str(model)}
    return {
        "prompt": data.get("positive_prompt", ""),
        "negative_prompt": data.get("negative_prompt", ""),
        "steps": data.get("steps"),
        "guidance": data.get("cfg_scale", data.get("guidance")),
        "seed": data.get("seed"),
        "scheduler_label": data.get("scheduler", ""),
        "checkpoint": model.get("name") or model.get("model_name") or model.get("key") or "",
        "checkpoint_hash": model.get("hash") or "",
        "adapters": [_lora(one) for one in data.get("loras") or [] if isinstance(one, dict)],
    }


def _lora(one: dict[str, Any]) -> dict[str, Any]:
    model = one.get("model") or one.get("lora") or {}
    name = model.get("name") or model.get("model_name") if isinstance(model, dict) else str(model)
    return {"name": name or "", "weight": one.get("weight", 1)}


def read_old(words: str) -> dict[str, Any]:
    """InvokeAI 2: the prompt is a text, or a list of weighted ones, with what is not wanted in brackets."""
    data = json.loads(words)
    image = data.get("image") or {}
    prompt = image.get("prompt", "")
    if isinstance(prompt, list):
        prompt = " ".join(str(one.get("prompt", "")) if isinstance(one, dict) else str(one) for one in prompt)
    return {
        **_split(prompt),
        "steps": image.get("steps"),
        "guidance": image.get("cfg_scale"),
        "seed": image.get("seed"),
        "scheduler_label": image.get("sampler", ""),
        "checkpoint": data.get("model_weights") or data.get("model_id") or "",
        "checkpoint_hash": data.get("model_hash") or "",
    }


def read_dream(words: str) -> dict[str, Any]:
    """`"a prompt" -s50 -S123 -W512 -H512 -C7.5 -Ak_lms`, with or without spaces after the letters."""
    prompt, _quote, rest = words.strip().lstrip('"').rpartition('"')
    given: dict[str, str] = {}
    letter = ""
    for part in shlex.split(rest):
        if match := re.fullmatch(r"-([sSCA])(.*)", part):
            letter = match[1]
            given[letter] = match[2]
        elif letter and not given.get(letter):
            given[letter] = part
    return {
        **_split(prompt),
        "steps": given.get("s"),
        "guidance": given.get("C"),
        "seed": given.get("S"),
        "scheduler_label": given.get("A", ""),
    }


def _split(prompt: str) -> dict[str, str]:
    negative = ", ".join(re.findall(r"\[([^\]]*)\]", prompt))
    return {"prompt": re.sub(r"\s*\[[^\]]*\]", "", prompt).strip(), "negative_prompt": negative}
