"""People in the admin. The pages that apps of others register for the same things are taken out."""

import allauth.account.admin
import allauth.mfa.admin
import allauth.usersessions.admin  # noqa: F401
import django.contrib.auth.admin  # noqa: F401
from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.usersessions.models import UserSession
from django.contrib import admin
from django.contrib.auth.models import Group

from accounts.admin import keys, people, teams, webhooks

# User.email is the one address, rights come from roles, a second factor is removed by an action on
# its person, and sessions end on the person's own page.
for model in (EmailAddress, Authenticator, Group, UserSession):
    admin.site.unregister(model)

__all__ = ["keys", "people", "teams", "webhooks"]
