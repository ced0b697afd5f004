"""The API that OpenAI's clients speak, under /v1/: a NinjaAPI over generator/api/openai, with their shape of errors."""

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from ninja import NinjaAPI
from ninja.errors import AuthenticationError, HttpError, ValidationError

from accounts.api.auth import BearerKey, TooManyRequests
from generator.api.openai import edits, files, images, models
from generator.api.openai.errors import OpenAIError

api = NinjaAPI(
    title="Atelier for OpenAI's clients",
    version="1",
    urls_namespace="openai",
    docs_url=None,
    openapi_url="/openapi.json",
    auth=BearerKey(),
)


@api.exception_handler(OpenAIError)
def _told(request: HttpRequest, error: OpenAIError) -> HttpResponse:
    return api.create_response(request, error.body, status=error.status)


@api.exception_handler(AuthenticationError)
def _unknown_caller(request: HttpRequest, error: AuthenticationError) -> HttpResponse:
    message = _("Send a valid key. Keys are made on the account page.")
    return _told(request, OpenAIError(401, message, code="invalid_api_key"))


@api.exception_handler(PermissionDenied)
def _denied(request: HttpRequest, error: PermissionDenied) -> HttpResponse:
    return _told(request, OpenAIError(403, str(error) or _("Your role does not allow this.")))


@api.exception_handler(TooManyRequests)
def _too_many(request: HttpRequest, error: TooManyRequests) -> HttpResponse:
    message = _("This key was used too often. Try again in %(n)d seconds.") % {"n": request.rate.reset}
    return _told(request, OpenAIError(429, message, code="rate_limit_exceeded"))


@api.exception_handler(Http404)
def _unknown(request: HttpRequest, error: Http404) -> HttpResponse:
    return _told(request, OpenAIError(404, _("There is nothing here.")))


@api.exception_handler(HttpError)
def _other(request: HttpRequest, error: HttpError) -> HttpResponse:
    return _told(request, OpenAIError(error.status_code, str(error)))


@api.exception_handler(ValidationError)
def _malformed(request: HttpRequest, error: ValidationError) -> HttpResponse:
    first = error.errors[0]
    param = ".".join(str(part) for part in first["loc"][2:]) or None
    message = f"{param}: {first['msg']}" if param else str(first["msg"])
    return _told(request, OpenAIError(400, message, param=param, code="invalid_value"))


for router in (images.router, edits.router, files.router, models.router):
    api.add_router("", router)
