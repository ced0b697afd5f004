"""What clients rely on: tells how one description of the API breaks whoever was written for another (OpenAPI 3.1).

What is asked may become less, what is answered may become more. Titles, descriptions and examples say nothing to a
program.
"""

from collections.abc import Iterator
from typing import Any

Node = dict[str, Any]


def breaks(old: Node, new: Node) -> list[str]:
    """Each way in which `new` lets clients of `old` down, in words."""
    found = []
    for path, methods in old["paths"].items():
        for method, before in methods.items():
            after = new["paths"].get(path, {}).get(method)
            if after is None:
                found.append(f"{method.upper()} {path} is gone")
                continue
            told = [
                *_parameters(before, after, old, new),
                *_body(before, after, old, new),
                *_answers(before, after, old, new),
            ]
            found += [f"{method.upper()} {path}: {one}" for one in told]
    return found


def _parameters(before: Node, after: Node, old: Node, new: Node) -> Iterator[str]:
    known, now = ({(one["in"], one["name"]): one for one in side["parameters"]} for side in (before, after))
    yield from (f"the parameter {name} is gone" for where, name in known if (where, name) not in now)
    for key, parameter in now.items():
        name = key[1]
        if parameter["required"] and not (key in known and known[key]["required"]):
            yield f"the parameter {name} is required now"
        if key in known:
            yield from _narrowed(known[key]["schema"], parameter["schema"], name, old, new)


def _body(before: Node, after: Node, old: Node, new: Node) -> Iterator[str]:
    known, now = (side.get("requestBody", {}).get("content", {}) for side in (before, after))
    if not known and after.get("requestBody", {}).get("required"):
        yield "a body is required now"
    for kind, content in known.items():
        if kind not in now:
            yield f"no body of {kind} is taken any more"
        else:
            yield from _narrowed(content["schema"], now[kind]["schema"], "body", old, new)


def _answers(before: Node, after: Node, old: Node, new: Node) -> Iterator[str]:
    for status, told in before["responses"].items():
        if status not in after["responses"]:
            yield f"the answer {status} is gone"
            continue
        now = _resolved(after["responses"][status], new).get("content", {})
        for kind, content in _resolved(told, old).get("content", {}).items():
            if kind not in now:
                yield f"the answer {status} is no {kind} any more"
            else:
                yield from _widened(content["schema"], now[kind]["schema"], f"answer {status}", old, new)


def _narrowed(before: Node, after: Node, where: str, old: Node, new: Node) -> Iterator[str]:
    """What was taken and is not any more."""
    before, after = _resolved(before, old), _resolved(after, new)
    if lost := _types(before, old) - _types(after, new):
        yield f"{where} may be no {'/'.join(sorted(lost))} any more"
    fields = after.get("properties", {})
    was_required = set(before.get("required", []))
    yield from (f"{where}.{name} is required now" for name in after.get("required", []) if name not in was_required)
    yield from _common(before, after, where, fields, old, new, _narrowed)


def _widened(before: Node, after: Node, where: str, old: Node, new: Node) -> Iterator[str]:
    """What is answered and was not before, or not any more."""
    before, after = _resolved(before, old), _resolved(after, new)
    if gained := _types(after, new) - _types(before, old):
        yield f"{where} may be {'/'.join(sorted(gained))} now"
    fields = after.get("properties", {})
    required = set(after.get("required", []))
    for name in before.get("required", []):
        if name in fields and name not in required:
            yield f"{where}.{name} may be left out now"
    yield from _common(before, after, where, fields, old, new, _widened)


def _common(before: Node, after: Node, where: str, fields: Node, old: Node, new: Node, compare: Any) -> Iterator[str]:
    if "enum" in before and "enum" in after:
        lost = [value for value in before["enum"] if value not in after["enum"]]
        yield from (f"{where} is never “{value}” any more" for value in lost)
    for name, schema in before.get("properties", {}).items():
        if name not in fields:
            yield f"{where}.{name} is gone"
        else:
            yield from compare(schema, fields[name], f"{where}.{name}", old, new)
    if "items" in before and "items" in after:
        yield from compare(before["items"], after["items"], f"{where}[]", old, new)
    known, now = _choices(before, old), _choices(after, new)
    if len(known) == len(now):
        for one, other in zip(known, now, strict=True):
            yield from compare(one, other, where, old, new)


def _resolved(schema: Node, root: Node) -> Node:
    while "$ref" in schema or len(schema.get("allOf", [])) == 1:
        target = schema.get("$ref")
        schema = schema["allOf"][0] if target is None else root["components"][target.split("/")[2]][_last(target)]
    return schema


def _choices(schema: Node, root: Node) -> list[Node]:
    """Of a field that may be several things, those that are not null."""
    return [one for choice in schema.get("anyOf", []) if (one := _resolved(choice, root)).get("type") != "null"]


def _types(schema: Node, root: Node) -> set[str]:
    """With the format, where a string has one that says what it is."""
    schema = _resolved(schema, root)
    if "anyOf" in schema:
        return {kind for choice in schema["anyOf"] for kind in _types(choice, root)}
    kind = schema.get("type")
    return {f"{kind} ({schema['format']})" if kind == "string" and "format" in schema else kind} if kind else set()


def _last(target: str) -> str:
    return target.rsplit("/", 1)[1]
