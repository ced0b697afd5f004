"""Settings of Atelier: one file; only environment variables differ between a laptop and a fleet (README, Settings)."""

import contextlib
import os
import secrets

import environ
from django.templatetags.static import static
from django.urls import reverse_lazy
from django.utils.translation import gettext_lazy as _
from redis.backoff import NoBackoff
from redis.retry import Retry

from config.runtime import BASE_DIR, embedded_redis_url, home, read_env

ATELIER_HOME = home()
ATELIER_HOME.mkdir(parents=True, exist_ok=True)
DEBUG = read_env("DEBUG", "") == "1"


def _own_secret() -> str:
    """The installation's own key, drawn at its first start."""
    path = ATELIER_HOME / "secret_key"
    with contextlib.suppress(FileExistsError):
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        os.write(descriptor, secrets.token_urlsafe(48).encode())
        os.close(descriptor)
    return path.read_text()


SECRET_KEY = read_env("SECRET_KEY") or _own_secret()
ALLOWED_HOSTS = [h for h in read_env("ALLOWED_HOSTS", "localhost,127.0.0.1,[::1]").split(",") if h]
CSRF_TRUSTED_ORIGINS = [o for o in read_env("CSRF_TRUSTED_ORIGINS", "").split(",") if o]

INSTALLED_APPS = [
    "config.apps.AtelierConfig",
    "accounts",
    "gallery",
    "generator",
    "unfold",
    "unfold.contrib.filters",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.humanize",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "channels",
    "django_htmx",
    "template_partials",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "servestatic.middleware.ServeStaticMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "csp.middleware.CSPMiddleware",
    "config.policy.admin_policy",
    "allauth.account.middleware.AccountMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "accounts.middleware.current_team",
    "accounts.middleware.require_own_password",
]

ROOT_URLCONF = "config.urls"
ASGI_APPLICATION = "config.asgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
            "builtins": ["lucide.templatetags.lucide", "template_partials.templatetags.partials"],
        },
    },
]

# --- Data -----------------------------------------------------------------------------------------------------------

DATABASES = {
    "default": environ.Env.db_url_config(read_env("DATABASE_URL", f"sqlite:///{ATELIER_HOME / 'atelier.sqlite3'}"))
}
if DATABASES["default"]["ENGINE"] == "django.db.backends.sqlite3":
    # A write transaction takes its lock at BEGIN: otherwise two that read first and write later cannot both go on.
    DATABASES["default"]["OPTIONS"] = {
        "transaction_mode": "IMMEDIATE",
        "timeout": 20,
        "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA cache_size=-16000;",
    }
    # Tests use a file too: in memory, threads would share one cache and with it their locks.
    DATABASES["default"]["TEST"] = {"NAME": str(ATELIER_HOME / "test.sqlite3")}
else:
    DATABASES["default"].setdefault("OPTIONS", {})["pool"] = {"min_size": 1, "max_size": 10, "timeout": 10}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# A broker that is gone is an error at once: redis-py would hold every request for ten seconds of its own attempts.
_ONCE = {"retry": Retry(NoBackoff(), 1), "socket_connect_timeout": 2, "socket_timeout": 5}
REDIS_URL = read_env("REDIS_URL") or embedded_redis_url()
CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.redis.RedisCache",
        "LOCATION": REDIS_URL,
        "KEY_PREFIX": "atelier",
        "OPTIONS": _ONCE,
    }
}
CHANNEL_LAYERS = {
    "default": {
        # PubSub: the core layer drops messages in a flood; consumers send a snapshot at connect and need no backlog.
        "BACKEND": "channels_redis.pubsub.RedisPubSubChannelLayer",
        "CONFIG": {"hosts": [REDIS_URL], "prefix": "atelier"},
    },
}
CELERY_BROKER_URL = REDIS_URL.replace("unix://", "redis+socket://", 1)

MEDIA_ROOT = ATELIER_HOME / "media"
STATIC_URL = "static/"
STATIC_ROOT = ATELIER_HOME / "static"
STATICFILES_DIRS = [BASE_DIR / "static"]
STORAGES = {
    "default": {"BACKEND": "gallery.storage.DurableStorage"},
    "staticfiles": {"BACKEND": "config.static.Storage"},
}

# --- Jobs -----------------------------------------------------------------------------------------------------------

CELERY_TASK_IGNORE_RESULT = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_DISABLE_PREFETCH = True  # a busy worker must not hoard the wake-ups that an idle one could follow
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_TASK_DEFAULT_QUEUE = "atelier"

MODELS_ROOT = ATELIER_HOME / "models"
JOB_LEASE_SECONDS = 30
JOB_HEARTBEAT_SECONDS = 2
JOB_MAX_ATTEMPTS = 3
JOB_STEP_DEADLINE_SECONDS = 300  # a worker that reports no step for so long is ended by its watchdog
WORKER_POLL_SECONDS = 5
TRASH_RETENTION_DAYS = 30
PICTURES_PER_DAY = int(read_env("PICTURES_PER_DAY", "500"))  # for a person, unless the admin gives them another number

# --- People ---------------------------------------------------------------------------------------------------------

AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = ["allauth.account.auth_backends.AuthenticationBackend"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 10}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "/"
ACCOUNT_ADAPTER = "accounts.adapter.AccountAdapter"
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*", "password2*"]
ACCOUNT_EMAIL_SUBJECT_PREFIX = "Atelier: "
ACCOUNT_EMAIL_UNKNOWN_ACCOUNTS = False  # otherwise anybody could have us write to any address
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_EMAIL_VERIFICATION = "none"  # people come by an invitation sent to the address
ACCOUNT_LOGOUT_ON_PASSWORD_CHANGE = False
ACCOUNT_SESSION_REMEMBER = True
MFA_SUPPORTED_TYPES = ["totp", "webauthn", "recovery_codes"]
MFA_TOTP_ISSUER = "Atelier"

ADMIN_EMAIL = read_env("ADMIN_EMAIL", "admin@atelier.local")  # of the first administrator

EMAIL_URL = read_env("EMAIL_URL")
EMAIL_CONFIGURED = bool(EMAIL_URL)  # without it, pages show links to copy where they would have sent a letter
vars().update(environ.Env.email_url_config(EMAIL_URL or "dummymail://"))
EMAIL_TIMEOUT = 10
ACCOUNT_EMAIL_NOTIFICATIONS = EMAIL_CONFIGURED  # tells people when a password or second factor of theirs changed
DEFAULT_FROM_EMAIL = read_env("DEFAULT_FROM_EMAIL", "Atelier <atelier@localhost>")

# --- Web ------------------------------------------------------------------------------------------------------------

LANGUAGE_CODE = "en"
LANGUAGES = [("en", _("English"))]
LOCALE_PATHS = [BASE_DIR / "locale"]
TIME_ZONE = read_env("TIME_ZONE", "UTC")
USE_TZ = True

HTTPS = read_env("HTTPS", "") == "1"  # set behind a proxy that speaks TLS
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = HTTPS
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if HTTPS else None
MFA_WEBAUTHN_ALLOW_INSECURE_ORIGIN = not HTTPS  # browsers themselves allow security keys on localhost only, then
SECURE_HSTS_SECONDS = 3600 * 24 * 30 if HTTPS else 0
SECURE_REFERRER_POLICY = "same-origin"
SESSION_COOKIE_HTTPONLY = True
X_FRAME_OPTIONS = "DENY"

CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": ["'self'"],
        "img-src": ["'self'", "data:", "blob:"],
        "style-src-attr": ["'unsafe-inline'"],  # sizes and colours of pictures, reserved before they load
        "object-src": ["'none'"],
        "base-uri": ["'none'"],
        "form-action": ["'self'"],
        "frame-ancestors": ["'none'"],
    },
}

DATA_UPLOAD_MAX_MEMORY_SIZE = 2 * 1024 * 1024

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "%(asctime)s %(levelname)s %(name)s: %(message)s"}},
    "filters": {"answers": {"()": "config.logs.NotReadyIsAnAnswer"}},
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["stderr"], "level": read_env("LOG_LEVEL", "INFO")},
    "loggers": {"celery": {"level": "WARNING"}, "django.request": {"level": "ERROR", "filters": ["answers"]}},
}

# --- Admin ----------------------------------------------------------------------------------------------------------


def _admin_page(title: str, icon: str, model: str) -> dict:
    return {"title": title, "icon": icon, "link": reverse_lazy(f"admin:{model}_changelist")}


UNFOLD = {
    "SITE_TITLE": "Atelier",
    "SITE_HEADER": "Atelier",
    "SITE_URL": "/",
    "SITE_ICON": lambda request: static("img/mark.svg"),
    "SITE_FAVICONS": [{"rel": "icon", "type": "image/svg+xml", "href": lambda request: static("img/mark.svg")}],
    "STYLES": [lambda request: static("css/admin.css")],
    "BORDER_RADIUS": "8px",
    # The greys and the accent of static/css/tokens.css.
    "COLORS": {
        "base": {
            "50": "#f5f5f4",
            "100": "#ebebe9",
            "200": "#e0e0dd",
            "300": "#c9c9c6",
            "400": "#a0a09c",
            "500": "#75757a",
            "600": "#5f5f5b",
            "700": "#3a3a3e",
            "800": "#2b2b2f",
            "900": "#18181a",
            "950": "#0f0f10",
        },
        "primary": {
            "50": "#fff5ee",
            "100": "#ffe8d8",
            "200": "#ffd0b0",
            "300": "#ffb385",
            "400": "#ff9c5c",
            "500": "#ff8a3d",
            "600": "#bf4308",
            "700": "#a33806",
            "800": "#7f2d08",
            "900": "#5e240b",
            "950": "#361404",
        },
    },
    "SIDEBAR": {
        "show_search": True,
        "navigation": [
            {
                "title": _("People"),
                "items": [
                    _admin_page(_("People"), "person", "accounts_user"),
                    _admin_page(_("Teams"), "group", "accounts_team"),
                    _admin_page(_("Invitations"), "mail", "accounts_invitation"),
                    _admin_page(_("Usage"), "bar_chart", "accounts_usage"),
                ],
            },
            {
                "title": _("Making"),
                "items": [
                    _admin_page(_("Jobs"), "bolt", "generator_job"),
                    _admin_page(_("Models"), "deployed_code", "generator_checkpoint"),
                    _admin_page(_("Style presets"), "palette", "generator_stylepreset"),
                    _admin_page(_("Workers"), "memory", "generator_worker"),
                ],
            },
            {"title": _("Keeping"), "items": [_admin_page(_("Pictures"), "image", "gallery_media")]},
        ],
    },
}
