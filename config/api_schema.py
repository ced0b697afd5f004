"""The description of the API (OpenAPI 3.1): what ninja writes, and what it cannot know of it: the problems that every
address may answer with, where one gets from what was made or found, and examples."""

from http import HTTPStatus
from typing import Any

from config.api_examples import ID, example

PROBLEM = "application/problem+json"
Operation = dict[str, Any]
SCHEMA = {
    "type": "object",
    "title": "Problem",
    "description": "What went wrong (RFC 9457).",
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string", "description": "in plain words"},
        "errors": {
            "type": "array",
            "description": "of a malformed request: what is wrong where",
            "items": {
                "type": "object",
                "properties": {"path": {"type": "string"}, "message": {"type": "string"}},
                "required": ["path", "message"],
            },
        },
        "received": {"type": "integer", "description": "of an upload that is out of step: the byte to go on at"},
    },
    "required": ["type", "title", "status", "detail"],
}
DETAILS = {
    400: "The body is no JSON.",
    401: "Send a valid key: “Authorization: Bearer …”. Keys are made on the account page.",
    403: "Your role does not allow this.",
    404: "There is nothing here, or nothing that you may see.",
    413: "A request has at most 2097152 bytes.",
    409: "You have 0 of 200 pictures left today. Ask for fewer, or come back tomorrow.",
    422: "query.limit: Input should be less than or equal to 100",
    429: "This key was used too often. Try again in 20 seconds.",
}
# Where the things are that an answer tells of.
HOMES = {
    "AlbumOut": "/albums/{pk}",
    "BatchOut": "/batches/{pk}",
    "CommentOut": "/comments/{pk}",
    "ExportOut": "/exports/{pk}",
    "FullJobOut": "/jobs/{pk}",
    "FullMediaOut": "/media/{pk}",
    "FullTrainingOut": "/trainings/{pk}",
    "ReviewOut": "/reviews/{pk}",
    "UploadOut": "/uploads/{pk}",
}
LISTS = {
    "AlbumsOut": "/albums/{pk}",
    "CommentsOut": "/comments/{pk}",
    "JobsOut": "/jobs/{pk}",
    "MediaPageOut": "/media/{pk}",
    "ReviewsOut": "/reviews/{pk}",
    "TrainingsOut": "/trainings/{pk}",
}


def complete(schema: dict[str, Any]) -> dict[str, Any]:
    """Adds all of it to a description that ninja wrote, and returns it."""
    schema["components"]["schemas"]["Problem"] = SCHEMA
    schema["components"]["responses"] = {_name(status): _problem(status) for status in DETAILS}
    paths = schema["paths"]
    for path, methods in paths.items():
        for method, operation in methods.items():
            _add_problems(method, path, operation)
            _add_links(path, operation, paths)
            _add_examples(operation, schema["components"]["schemas"])
    return schema


def _add_problems(method: str, path: str, operation: Operation) -> None:
    named = [parameter["name"] for parameter in operation["parameters"]]
    statuses = [401, 403, 429]
    if "{" in path or "team" in named:
        statuses.append(404)
    if method != "get":
        statuses.append(409)
    if "application/json" in operation.get("requestBody", {}).get("content", {}):
        statuses.append(400)
    if "requestBody" in operation:
        statuses.append(413)
    if named or "requestBody" in operation:
        statuses.append(422)
    for status in sorted(statuses):
        operation["responses"][status] = {"$ref": f"#/components/responses/{_name(status)}"}


def _name(status: int) -> str:
    return HTTPStatus(status).phrase.replace(" ", "")


def _problem(status: int) -> dict[str, Any]:
    phrase = HTTPStatus(status).phrase
    told = {"type": "about:blank", "title": phrase, "status": status, "detail": DETAILS[status]}
    content = {PROBLEM: {"schema": {"$ref": "#/components/schemas/Problem"}, "example": told}}
    return {"description": phrase, "content": content}


def _add_links(path: str, operation: Operation, paths: dict[str, Any]) -> None:
    homes = HOMES | LISTS
    for status, response in operation["responses"].items():
        content = response.get("content", {}).get("application/json", {})
        called = content.get("schema", {}).get("$ref", "").rsplit("/", 1)[-1]
        if int(status) >= 300 or called not in homes or homes[called] in path:
            continue
        home = path.split("/v1/")[0] + "/v1" + homes[called]
        place = "/items/0/id" if called in LISTS else "/id"
        # Not to those that need a second thing, such as a file of an upload.
        targets = [one for there, some in paths.items() if _is_at(there, home) for one in some.values()]
        response["links"] = {
            target["operationId"].rsplit("_api_", 1)[-1]: {
                "operationId": target["operationId"],
                "parameters": {"pk": f"$response.body#{place}"},
            }
            for target in targets
        }


def _is_at(path: str, home: str) -> bool:
    return path.startswith(home) and path.count("{") == 1


def _add_examples(operation: Operation, known: dict[str, Any]) -> None:
    for parameter in operation["parameters"]:
        if parameter["in"] == "path":
            parameter["example"] = ID if parameter["schema"].get("format") == "uuid" else 7
    told = [operation.get("requestBody", {}), *operation["responses"].values()]
    for content in [content for one in told for content in one.get("content", {}).values()]:
        if "example" not in content and content.get("schema", {}).get("format") != "binary":
            content["example"] = example(content["schema"], known)
