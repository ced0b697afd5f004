"""All addresses of Atelier."""

from allauth.account import views as allauth
from allauth.account.decorators import secure_admin_login
from django.contrib import admin
from django.urls import include, path

from accounts.views.password import change_password
from config import health

# The admin's own pages for signing in, signing out and passwords would go round rate limits, the second factor and
# what accounts.adapter does.
admin.autodiscover()
admin.site.login = secure_admin_login(admin.site.login)

urlpatterns = [
    path("", include("generator.urls")),
    path("", include("gallery.urls")),
    path("", include("accounts.urls")),
    path("account/", include("accounts.entrance")),
    path("admin/logout/", allauth.logout),
    path("admin/password_change/", change_password),
    path("admin/", admin.site.urls),
    path("healthz", health.healthz),
    path("readyz", health.readyz),
]
