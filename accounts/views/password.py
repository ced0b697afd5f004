"""Passwords that were given or forgotten."""

from allauth.account import views
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from accounts.forms import FirstPasswordForm


def change_password(request: HttpRequest) -> HttpResponse:
    """Allauth's page; after a one-time password it asks for the new one only, and shows no way round."""
    if request.user.is_authenticated and request.user.must_change_password:
        view = views.PasswordChangeView.as_view(
            form_class=FirstPasswordForm, template_name="account/password_first.html"
        )
        return view(request)
    return views.password_change(request)


def reset_password(request: HttpRequest) -> HttpResponse:
    """Allauth's form where a letter can be sent; otherwise the page says who can help."""
    if settings.EMAIL_CONFIGURED:
        return views.password_reset(request)
    return render(request, "account/password_reset_by_hand.html")
