"""The REST API under /api/v1/: one NinjaAPI over each app's routers. What goes wrong is told as RFC 9457 problems."""

from http import HTTPStatus
from typing import Any

from django.conf import settings
from django.core.exceptions import PermissionDenied, RequestDataTooBig
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import register_converter
from django.urls.converters import StringConverter
from django.utils.translation import gettext as _
from ninja import NinjaAPI, Router
from ninja.errors import AuthenticationError, HttpError, ValidationError
from ninja.openapi.schema import OpenAPISchema
from ninja.renderers import BaseRenderer
from pydantic_core import to_json

from accounts.api import me
from accounts.api.auth import BearerKey, OwnSession, TooManyRequests
from accounts.services import Refused as PeopleRefused
from config.api_schema import PROBLEM, complete
from gallery.api import albums, comments, exports, media, reviews, uploads
from gallery.services import OutOfStep
from gallery.services import Refused as GalleryRefused
from generator.api import adapters, catalogue, generations, jobs, queue, quotas, trainings, workers
from generator.services import Refused


class Json(BaseRenderer):
    """Answers as JSON, written by pydantic's own writer; what is not a number in it is null."""

    media_type = "application/json"

    def render(self, request: HttpRequest, data: Any, *, response_status: int) -> bytes:
        """What is told: texts of whatever kind, times, ids, and what schemas are made of."""
        return to_json(data, inf_nan_mode="null", fallback=str)


class Api(NinjaAPI):
    """One whose description says all that clients need to know."""

    def get_openapi_schema(self, **options: Any) -> OpenAPISchema:
        """As ninja writes it, completed."""
        return complete(super().get_openapi_schema(**options))


api = Api(
    title="Atelier",
    version="1",
    description="Make pictures, watch them come, and see the queue. Keys are made on the account page.",
    urls_namespace="api",
    openapi_url="/openapi.json",
    docs_url="/docs",  # with ninja among the apps: its page's scripts are our own static files
    auth=[BearerKey(), OwnSession()],
    renderer=Json(),
)


def _problem(request: HttpRequest, status: int, detail: str, **more: Any) -> HttpResponse:
    body = {"type": "about:blank", "title": HTTPStatus(status).phrase, "status": status, "detail": detail, **more}
    response = api.create_response(request, body, status=status)
    response["Content-Type"] = PROBLEM
    return response


@api.exception_handler(AuthenticationError)
def _unknown_caller(request: HttpRequest, error: AuthenticationError) -> HttpResponse:
    detail = _("Send a valid key: “Authorization: Bearer …”. Keys are made on the account page.")
    response = _problem(request, HTTPStatus.UNAUTHORIZED, detail)
    response["WWW-Authenticate"] = 'Bearer realm="Atelier"'
    return response


@api.exception_handler(PermissionDenied)
def _denied(request: HttpRequest, error: PermissionDenied) -> HttpResponse:
    return _problem(request, HTTPStatus.FORBIDDEN, str(error) or _("Your role does not allow this."))


@api.exception_handler(Http404)
def _unknown(request: HttpRequest, error: Http404) -> HttpResponse:
    return _problem(request, HTTPStatus.NOT_FOUND, _("There is nothing here, or nothing that you may see."))


@api.exception_handler(Refused)
@api.exception_handler(PeopleRefused)
@api.exception_handler(GalleryRefused)
def _refused(request: HttpRequest, error: Refused | PeopleRefused | GalleryRefused) -> HttpResponse:
    return _problem(request, HTTPStatus.CONFLICT, str(error))


@api.exception_handler(OutOfStep)
def _out_of_step(request: HttpRequest, error: OutOfStep) -> HttpResponse:
    detail = _("Go on at byte %(n)d.") % {"n": error.received}
    return _problem(request, HTTPStatus.CONFLICT, detail, received=error.received)


@api.exception_handler(TooManyRequests)
def _too_many(request: HttpRequest, error: TooManyRequests) -> HttpResponse:
    detail = _("This key was used too often. Try again in %(n)d seconds.") % {"n": request.rate.reset}
    return _problem(request, HTTPStatus.TOO_MANY_REQUESTS, detail)


@api.exception_handler(RequestDataTooBig)
def _too_large(request: HttpRequest, error: RequestDataTooBig) -> HttpResponse:
    most = _("A request has at most %(n)d bytes.") % {"n": settings.DATA_UPLOAD_MAX_MEMORY_SIZE}
    return _problem(request, HTTPStatus.REQUEST_ENTITY_TOO_LARGE, most)


@api.exception_handler(HttpError)
def _other(request: HttpRequest, error: HttpError) -> HttpResponse:
    return _problem(request, error.status_code, str(error))


@api.exception_handler(ValidationError)
def _malformed(request: HttpRequest, error: ValidationError) -> HttpResponse:
    errors = [{"path": _path(one["loc"]), "message": one["msg"]} for one in error.errors]
    detail = "; ".join(f"{one['path']}: {one['message']}" for one in errors)
    return _problem(request, HTTPStatus.UNPROCESSABLE_ENTITY, detail, errors=errors)


def _path(location: tuple[str | int, ...]) -> str:
    """Where it is wrong, as the caller wrote it: "query.limit", "body.prompt", without our own names in between."""
    parts = [location[0], *location[2:]] if location[0] == "body" else location
    return ".".join(str(part) for part in parts)


class Anything(StringConverter):
    """What is left of an address; Django's own `path` stops at a line break."""

    regex = "(?s:.+)"


register_converter(Anything, "any")
nowhere = Router()


@nowhere.api_operation(["GET", "POST", "PUT", "PATCH", "DELETE"], "/{any:rest}", auth=None, include_in_schema=False)
def _nowhere(request: HttpRequest, rest: str) -> None:
    """An address that does not exist: a problem too, no page."""
    raise Http404


for router in (
    me.router,
    quotas.router,
    catalogue.router,
    generations.router,
    jobs.router,
    trainings.router,
    adapters.router,
    queue.router,
    workers.router,
    media.router,
    albums.router,
    comments.router,
    reviews.router,
    exports.router,
    uploads.router,
    nowhere,
):  # the last one matches everything
    api.add_router("", router)
