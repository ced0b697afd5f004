"""All addresses of Atelier that Django answers; /healthz, static files and sockets are config.asgi's."""

from allauth.account import views as allauth
from allauth.account.decorators import secure_admin_login
from django.contrib import admin
from django.urls import include, path

from accounts.views.password import change_password
from config.admin import mail_test, system
from config.api import api
from config.health import readyz
from config.metrics import metrics
from config.openai import api as openai_api

# The admin's own pages for signing in, signing out and passwords would go round rate limits, the second factor and
# what accounts.adapter does.
admin.autodiscover()
admin.site.login = secure_admin_login(admin.site.login)

urlpatterns = [
    path("api/v1/", api.urls),  # first: programs ask often, and for little
    path("", include("generator.urls")),
    path("", include("gallery.urls")),
    path("", include("accounts.urls")),
    path("account/", include("accounts.entrance")),
    path("admin/logout/", allauth.logout),
    path("admin/password_change/", change_password),
    path("admin/system/", admin.site.admin_view(system), name="system"),
    path("admin/system/mail/", admin.site.admin_view(mail_test), name="mail_test"),
    path("admin/", admin.site.urls),
    path("readyz", readyz),
    path("v1/", openai_api.urls),
    path("metrics", metrics),
]
