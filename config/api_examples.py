"""Examples for the description of the API: made from the schemas, so that they cannot come apart from them."""

from typing import Any

Schema = dict[str, Any]
ID = "3f2b8c1e-5d4a-4e6b-9a7f-0c1d2e3f4a5b"
MOMENT = "2026-05-04T09:30:00Z"
# What a field is called says more of it than its type.
WORDS: dict[str, Any] = {
    "attempt": 1,
    "attribution": "Atelier's starter",
    "bytes": 482113,
    "cancelled": 0,
    "channels": ["square"],
    "checkpoint": "starter",
    "colour": "#1f6f8b",
    "colours": ["red", "white"],
    "commercial_use": "yes",
    "count": 2,
    "cursor": "",
    "description": "What goes out in May",
    "device": "cuda:0",
    "dtype": "float16",
    "email": "bob@example.com",
    "eta_range": [3.0, 9.0],
    "family": "starter",
    "file": "/api/v1/media/3f2b8c1e-5d4a-4e6b-9a7f-0c1d2e3f4a5b/file",
    "focus": {"3f2b8c1e-5d4a-4e6b-9a7f-0c1d2e3f4a5b:square": [0.5, 0.4]},
    "font": "",
    "format": "square",
    "guidance": 4.0,
    "height": 256,
    "held": ["Nothing starts: no worker is there."],
    "kind": "generation",
    "kinds": ["generation"],
    "loaded": ["starter"],
    "max_kb": 500,
    "model": "Starter",
    "naming": "{name}-{channel}-{number}",
    "native_size": 256,
    "negative": "",
    "negative_prompt": "",
    "next": None,
    "note": "For Monday",
    "notice": "",
    "offset": 0,
    "page": "/gallery/3f2b8c1e-5d4a-4e6b-9a7f-0c1d2e3f4a5b/",
    "place": "bottom-right",
    "prompt": "a red apple, 3d icon",
    "q": "red apple",
    "quality": 90,
    "ratio": "1:1",
    "reason": "",
    "review": "approved",
    "reviewer": "Rita",
    "rights_note": "Shot for us in 2025",
    "role": "reviewer",
    "scheduler": "dpmpp_2m",
    "schedulers": ["dpmpp_2m", "euler"],
    "seed": 7,
    "sha256": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
    "shade": "",
    "slug": "starter",
    "source": f"import:{ID}",
    "state": "done",
    "states": {"queued": 2, "done": 3},
    "status": "approved",
    "structures": ["edges"],
    "style": None,
    "tags": ["spring", "apple"],
    "template": "{prompt}, watercolour",
    "text": "A little lighter here, @Bob",
    "title": "Apple for the cover",
    "token": "atl_…",
    "triggers": [],
    "url": "https://www.apache.org/licenses/LICENSE-2.0",
    "visibility": "team",
    "way": "text",
    "ways": ["text", "image"],
    "weight": 0.8,
    "whose": "own",
    "width": 256,
    "worker": "worker@host",
}
BY_FORMAT = {"uuid": ID, "date-time": MOMENT, "date": "2026-05-04", "binary": ""}
NAMES = {
    "PersonOut": "Bob",
    "TeamOut": "Studio",
    "MyTeamOut": "Studio",
    "KeyOut": "Nightly script",
    "FileIn": "pear.png",
}


def example(schema: Schema, known: dict[str, Schema], name: str = "", of: str = "") -> Any:
    """A value that `schema` allows, for the field `name` of the schema called `of`; `known` are the named schemas."""
    if "$ref" in schema:
        called = schema["$ref"].rsplit("/", 1)[1]
        return example(known[called], known, name, called)
    if schema.get("examples"):
        return schema["examples"][0]
    if name == "name" and of in NAMES:
        return NAMES[of]
    if name in WORDS and "enum" not in schema and _fits(WORDS[name], schema):
        return WORDS[name]
    if options := schema.get("anyOf") or schema.get("allOf"):
        return example(options[0], known, name, of)
    if "enum" in schema:
        return WORDS[name] if WORDS.get(name) in schema["enum"] else schema["enum"][0]
    if "const" in schema:
        return schema["const"]
    if schema.get("format") in BY_FORMAT:
        return BY_FORMAT[schema["format"]]
    return _by_type(schema, known, name, of)


def _by_type(schema: Schema, known: dict[str, Schema], name: str, of: str) -> Any:
    match schema.get("type"):
        case "object":
            properties = schema.get("properties", {})
            return {key: example(one, known, key, schema.get("title", of)) for key, one in properties.items()}
        case "array" if "prefixItems" in schema:
            return [example(one, known) for one in schema["prefixItems"]]
        case "array":
            return [example(schema["items"], known, name, of)]
        case "integer":
            return max(1, schema.get("minimum", 1))
        case "number":
            return 0.5
        case "boolean":
            return schema.get("default", True)
        case "string":
            return schema.get("default") or "Spring campaign"
    return None


def _fits(value: Any, schema: Schema) -> bool:
    """Whether a word is of the kind that the field takes: the same name may stand for others."""
    types = {one.get("type") for one in schema.get("anyOf", [schema])}
    kinds = {str: "string", int: "integer", float: "number", list: "array", dict: "object", type(None): "null"}
    formats = {one.get("format") for one in schema.get("anyOf", [schema])}
    return kinds[type(value)] in types and not formats & set(BY_FORMAT)
