"""The system page: whether each part of the installation works, and what to do where it does not."""

from django.conf import settings
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.core.mail import send_mail
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from config.system import examine


def _only_administrators(request: HttpRequest) -> None:
    if not request.user.is_superuser:
        raise PermissionDenied


@require_safe
def system(request: HttpRequest) -> HttpResponse:
    """Asks everything anew each time."""
    _only_administrators(request)
    groups = examine()
    states = [finding.state for _title, findings in groups for finding in findings]
    facts = {
        **admin.site.each_context(request),
        "title": _("System"),
        "groups": groups,
        "bad": states.count("bad"),
        "warned": states.count("warn"),
        "email_configured": settings.EMAIL_CONFIGURED,
    }
    return TemplateResponse(request, "admin/system.html", facts)


@require_POST
def mail_test(request: HttpRequest) -> HttpResponse:
    """Sends a letter to whoever asks, to nobody else, and says what happened."""
    _only_administrators(request)
    to = request.user.email
    try:
        sent = settings.EMAIL_CONFIGURED and send_mail(
            _("Atelier: a test letter"), _("If you can read this, Atelier can send mail."), None, [to]
        )
    except Exception as error:  # a wrong password, an unknown host, a refusal: all of it is the answer
        messages.error(request, _("The letter was not sent. %(error)s") % {"error": f"{type(error).__name__}: {error}"})
    else:
        if sent:
            messages.success(request, _("The mail server took a letter to %(address)s.") % {"address": to})
        else:
            messages.warning(request, _("There is no mail server: set EMAIL_URL."))
    return redirect("system")
