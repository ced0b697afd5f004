"""People in the admin. The pages that apps of others register for the same things are taken out."""

import allauth.account.admin
import allauth.mfa.admin  # noqa: F401
import django.contrib.auth.admin  # noqa: F401
from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from django.contrib import admin
from django.contrib.auth.models import Group

from accounts.admin import people, teams

# User.email is the one address, rights come from roles, and a second factor is removed by an action on its person.
for model in (EmailAddress, Authenticator, Group):
    admin.site.unregister(model)

__all__ = ["people", "teams"]
