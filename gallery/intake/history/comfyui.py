"""What ComfyUI writes under "prompt": the graph of nodes that ran. Followed from the sampler back to what fed it."""

import json
from typing import Any

DEEPEST = 40
MOST_NODES = 5000
Graph = dict[str, dict[str, Any]]

_TEXTS = ("text", "text_g", "prompt", "text_positive", "clip_l", "t5xxl", "string", "value", "populated_text", "text1")
_MODELS = ("ckpt_name", "unet_name", "model_name", "base_ckpt_name")


def read(words: str) -> dict[str, Any]:
    """The recipe of the sampler with the most steps: the main one, where a second one refines."""
    graph = json.loads(words, parse_constant=lambda _name: None)
    if not isinstance(graph, dict) or len(graph) > MOST_NODES:
        return {}
    graph = {str(key): node for key, node in graph.items() if isinstance(node, dict) and "class_type" in node}
    samplers = [node for node in graph.values() if _is_sampler(node)]
    if not samplers:
        return {}
    main = max(samplers, key=lambda node: _whole(_value(graph, node, "steps")))
    inputs = _inputs(main)
    guider = _linked(graph, inputs.get("guider")) or main
    positive = _inputs(guider).get("positive", _inputs(guider).get("conditioning", inputs.get("positive")))
    model = _inputs(guider).get("model", inputs.get("model"))
    label = _value(graph, main, "sampler_name", via="sampler") or ""
    schedule = _value(graph, main, "scheduler", via="sigmas") or ""
    seed = _value(graph, main, "seed") or _value(graph, main, "noise_seed", via="noise")
    guidance = _search(graph, positive, ("guidance",)) if positive else None
    return {
        "prompt": _text(graph, positive),
        "negative_prompt": _text(graph, _inputs(guider).get("negative", inputs.get("negative"))),
        "steps": _value(graph, main, "steps", via="sigmas"),
        "guidance": guidance if guidance is not None else _value(graph, guider, "cfg"),
        "seed": seed,
        "scheduler_label": f"{label} {schedule}" if schedule == "karras" else str(label),
        "checkpoint": str(_search(graph, model, _MODELS) or "").replace("\\", "/").rsplit("/", 1)[-1],
        "adapters": _loras(graph, model),
    }


def _is_sampler(node: dict[str, Any]) -> bool:
    name = str(node["class_type"])
    return "sampler" in name.lower() and bool({"positive", "guider"} & set(_inputs(node)))


def _inputs(node: dict[str, Any] | None) -> dict[str, Any]:
    inputs = (node or {}).get("inputs")
    return inputs if isinstance(inputs, dict) else {}


def _linked(graph: Graph, link: Any) -> dict[str, Any] | None:
    """The node that a link leads to: links are [node, number of its output]."""
    return graph.get(str(link[0])) if isinstance(link, list) and len(link) == 2 else None


def _value(graph: Graph, node: dict[str, Any], name: str, via: str = "") -> Any:
    """An input of the node, or of the one that feeds `via`; followed where a node of its own holds it."""
    value = _inputs(node).get(name)
    if value is None and via:
        value = _inputs(_linked(graph, _inputs(node).get(via))).get(name)
    return _search(graph, value, (name, "value", "seed", "int", "float")) if isinstance(value, list) else value


def _search(graph: Graph, link: Any, names: tuple[str, ...], depth: int = 0) -> Any:
    """The first plain input of one of these names, up the graph from `link`."""
    node = _linked(graph, link)
    if node is None or depth > DEEPEST:
        return None
    inputs = _inputs(node)
    for name in names:
        if name in inputs and not isinstance(inputs[name], list | dict):
            return inputs[name]
    for feeding in inputs.values():
        if isinstance(feeding, list) and (found := _search(graph, feeding, names, depth + _step(node))) is not None:
            return found
    return None


def _step(node: dict[str, Any]) -> int:
    # Wide graphs are cut sooner than long ones, so that a hostile one ends in good time.
    return max(1, sum(isinstance(value, list) for value in _inputs(node).values()) * 4 - 3)


def _text(graph: Graph, link: Any) -> str:
    found = _search(graph, link, _TEXTS)
    return found if isinstance(found, str) else ""


def _loras(graph: Graph, link: Any) -> list[dict[str, Any]]:
    """Those between the sampler and its model."""
    found: list[dict[str, Any]] = []
    for _n in range(DEEPEST):
        node = _linked(graph, link)
        if node is None:
            break
        inputs = _inputs(node)
        if isinstance(inputs.get("lora_name"), str):
            name = inputs["lora_name"].replace("\\", "/").rsplit("/", 1)[-1]
            found.append({"name": name, "weight": inputs.get("strength_model", 1)})
        link = inputs.get("model")
    return found


def _whole(value: Any) -> int:
    return value if isinstance(value, int) else 0
