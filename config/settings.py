"""Settings of Atelier: one file; only environment variables differ between a laptop and a fleet (README, Settings)."""

import contextlib
import os
import secrets
from pathlib import Path

import environ
from django.templatetags.static import static
from django.urls import reverse_lazy
from django.utils.translation import gettext_lazy as _

from config import media_url, redis_url
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
    "allauth.usersessions",
    "channels",
    "django_htmx",
    "template_partials",
    "ninja",  # its static files and the command that writes docs/openapi.json
]

MIDDLEWARE = [
    "config.requests.follow_request",
    "django.middleware.security.SecurityMiddleware",
    "config.api_answers.straight_to_api",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "config.api_answers.finish_api_answers",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "csp.middleware.CSPMiddleware",
    "config.policy.admin_policy",
    "allauth.account.middleware.AccountMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "accounts.middleware.current_team",
    "accounts.middleware.greet",
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
            "builtins": ["config.icons", "config.addresses", "template_partials.templatetags.partials"],
            "libraries": {"i18n": "config.words"},
        },
    },
]

SILENCED_SYSTEM_CHECKS = ["templates.W003"]  # two libraries are called i18n: ours is meant, see config.words

# --- Data -----------------------------------------------------------------------------------------------------------

# A server that is cut off is gone within seconds, for both sides: a worker's lease lasts no longer, and what a stopped
# worker had locked must not keep others waiting.
_UNTIL_GONE = {"connect_timeout": 5, "tcp_user_timeout": 15_000}  # seconds; milliseconds
_UNTIL_GONE |= {"keepalives_idle": 10, "keepalives_interval": 5, "keepalives_count": 2}
_UNTIL_GONE |= {"options": "-c idle_in_transaction_session_timeout=20s"}
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
    DATABASES["default"]["CONN_MAX_AGE"] = None  # opening it takes longer than most questions; it is a file, and stays
    # Tests use a file too: in memory, threads would share one cache and with it their locks.
    DATABASES["default"]["TEST"] = {"NAME": str(ATELIER_HOME / "test.sqlite3")}
else:
    # One pool a process: the web server's serves all its requests, a worker needs three or four connections.
    pool = {"min_size": 1, "max_size": int(read_env("DATABASE_POOL_SIZE", "10")), "timeout": 10}
    given = DATABASES["default"].get("OPTIONS", {})
    DATABASES["default"]["OPTIONS"] = {"pool": pool, **_UNTIL_GONE, **given}
    DATABASES["default"]["CONN_HEALTH_CHECKS"] = True  # hands out no connection that a restarted server left dead
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

REDIS_URL = read_env("REDIS_URL") or embedded_redis_url()
_redis = redis_url.parse(REDIS_URL)
CACHES = {
    "default": {"BACKEND": "django.core.cache.backends.redis.RedisCache", "KEY_PREFIX": "atelier", **_redis.cache()}
}
CHANNEL_LAYERS = {
    "default": {
        # PubSub: the core layer drops messages in a flood; consumers send a snapshot at connect and need no backlog.
        "BACKEND": "channels_redis.pubsub.RedisPubSubChannelLayer",
        # What is published reaches every number of a Redis, so the number is in the name.
        "CONFIG": {"hosts": [_redis.channel_host()], "prefix": f"atelier-{_redis.db}-"},
    },
}
vars().update(_redis.celery())

MEDIA_ROOT = ATELIER_HOME / "media"
STATIC_URL = "static/"
STATIC_ROOT = Path(read_env("STATIC_ROOT") or ATELIER_HOME / "static")
STATICFILES_DIRS = [BASE_DIR / "static"]
SERVESTATIC_ADD_HEADERS_FUNCTION = lambda headers, path, url: headers.__setitem__("X-Content-Type-Options", "nosniff")  # noqa: E731
STORAGES = {
    "default": media_url.storage(read_env("MEDIA_STORAGE")),
    "staticfiles": {"BACKEND": "config.static.Storage"},
}
_store = media_url.origin(STORAGES["default"])
MEDIA_REDIRECT = bool(_store)  # whether browsers fetch files from the store themselves
# Below this path the proxy in front serves MEDIA_ROOT, but only where an answer of ours names it (X-Accel-Redirect).
ACCEL_REDIRECT = "" if read_env("MEDIA_STORAGE") else read_env("ACCEL_REDIRECT", "")

# --- Jobs -----------------------------------------------------------------------------------------------------------

CELERY_TASK_IGNORE_RESULT = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_DISABLE_PREFETCH = True  # a busy worker must not hoard the wake-ups that an idle one could follow
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_BROKER_CONNECTION_MAX_RETRIES = None  # a worker outlives any absence of the broker
CELERY_TASK_DEFAULT_QUEUE = "atelier"
# Wake-ups go to those that load models; whatever else is asked for loads none, and must not wait behind pictures.
CELERY_TASK_ROUTES = {"atelier.work": {"queue": "atelier"}, "atelier.*": {"queue": "light"}}
CELERY_BEAT_SCHEDULE_FILENAME = str(ATELIER_HOME / "beat")
CELERY_BEAT_SCHEDULE = {
    "recover": {"task": "atelier.recover", "schedule": 15, "options": {"expires": 15}},
    "tidy": {"task": "atelier.tidy", "schedule": 3600, "options": {"expires": 3600}},
    "orphans": {"task": "atelier.orphans", "schedule": 3600, "options": {"expires": 3600}},
    "derive_missing": {"task": "atelier.derive_missing", "schedule": 300, "options": {"expires": 300}},
    "understand_missing": {"task": "atelier.understand_missing", "schedule": 300, "options": {"expires": 300}},
    "webhooks": {"task": "atelier.webhooks", "schedule": 30, "options": {"expires": 30}},
    "letters": {"task": "atelier.letters", "schedule": 600, "options": {"expires": 600}},
    "deliver": {"task": "atelier.deliver", "schedule": 30, "options": {"expires": 30}},
}

MODELS_ROOT = Path(read_env("MODELS_ROOT") or ATELIER_HOME / "models")  # all workers and the web server share it
MODELS_IMPORT_ROOT = read_env("MODELS_IMPORT_ROOT", "")  # below it lie folders and files that may be brought in
HF_TOKEN = read_env("HF_TOKEN")  # for models that a hub gives only to some
HF_ENDPOINT = read_env("HF_ENDPOINT", "https://huggingface.co")
JOB_LEASE_SECONDS = int(read_env("JOB_LEASE_SECONDS", "30"))  # many heartbeats: a busy database is to cost no job
JOB_HEARTBEAT_SECONDS = int(read_env("JOB_HEARTBEAT_SECONDS", "2"))
JOB_MAX_ATTEMPTS = 3  # how many workers may be lost with a job before it counts as the reason
JOB_RETRY_SECONDS = [int(n) for n in read_env("JOB_RETRY_SECONDS", "5,30,120").split(",")]  # before each further try
JOB_STEP_DEADLINE_SECONDS = 300  # a worker that reports no step for so long is ended by its watchdog
JOB_DEADLINE_FACTOR = 20  # a job is stopped when it takes so many times as long as its like, ...
JOB_DEADLINE_FLOOR_SECONDS = 1800  # ... but never before
JOB_FINAL_WRITE_SECONDS = 300  # how long a finished result waits for a database that is away
TRAINING_SLICE_SECONDS = 60.0  # of a training, after which others get their turn; ...
TRAINING_LEAST_SECONDS = 10.0  # ... whoever waits for pictures interrupts it, once it got so far: beginning costs time
WORKER_POLL_SECONDS = int(read_env("WORKER_POLL_SECONDS", "5"))
WORKER_GRACE_SECONDS = 10  # a worker that is to stop finishes what needs no longer; other jobs go back in line
WORKER_KINDS = [kind for kind in read_env("WORKER_KINDS", "").split(",") if kind]  # none named: all it knows
WORKER_FAMILIES = [family for family in read_env("WORKER_FAMILIES", "").split(",") if family]
ORPHAN_SECONDS = int(read_env("ORPHAN_SECONDS", "3600"))  # a file without a row may have it coming, when it is younger
QUEUE_SHARES = {0: 8, 1: 2, 2: 1}  # of the workers, by Job.Urgency, while jobs of each wait
# A worker that has a model loaded may take a job that needs it before one in turn, which is passed over at most so
# often, and for at most so long.
QUEUE_AFFINITY_CLAIMS = 8
QUEUE_AFFINITY_SECONDS = 20
# Of several people in one call of the engine, at most; each worker measures how many are worth it. 1: each alone.
TOGETHER_PICTURES = int(read_env("TOGETHER_PICTURES", "16"))
TRASH_RETENTION_DAYS = 30
EXPORT_HOURS = int(read_env("EXPORT_HOURS", "24"))  # how long a prepared export can be fetched
IMPORT_FILE_MB = int(read_env("IMPORT_FILE_MB", "200"))  # of one file that is brought, a zip included
IMPORT_TEAM_GB_PER_DAY = int(read_env("IMPORT_TEAM_GB_PER_DAY", "50"))
API_REQUESTS_PER_MINUTE = int(read_env("API_REQUESTS_PER_MINUTE", "600"))  # of one key
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

WEBHOOK_NETWORKS = [n for n in read_env("WEBHOOK_NETWORKS", "").split(",") if n]  # private ones that may be told too
# Before each further try of a webhook: three days in all, as Standard Webhooks advises.
WEBHOOK_RETRY_SECONDS = [5, 300, 1800, 7200, 18000, 36000, 50400, 72000, 86400]
SITE_URL = read_env("SITE_URL", "http://127.0.0.1:8000").rstrip("/")  # how letters name this installation
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
        "img-src": ["'self'", "data:", "blob:", *([_store] if _store else [])],
        "style-src-attr": ["'unsafe-inline'"],  # sizes and colours of pictures, reserved before they load
        "object-src": ["'none'"],
        "base-uri": ["'none'"],
        "form-action": ["'self'"],
        "frame-ancestors": ["'none'"],
    },
}

DATA_UPLOAD_MAX_MEMORY_SIZE = 2 * 1024 * 1024

# --- Watching -------------------------------------------------------------------------------------------------------

METRICS_TOKEN = read_env("METRICS_TOKEN")  # for /metrics, as a bearer token
METRICS_NETWORKS = [n for n in read_env("METRICS_NETWORKS", "127.0.0.0/8,::1/128").split(",") if n]  # without a token

LOG_FORMAT = read_env("LOG_FORMAT", "line")  # for people at a terminal; "json": for what collects lines
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "line": {"()": "config.logs.Line"},
        "json": {"()": "config.logs.Json"},
    },
    "filters": {"answers": {"()": "config.logs.NotReadyIsAnAnswer"}},
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": LOG_FORMAT}},
    "root": {"handlers": ["stderr"], "level": read_env("LOG_LEVEL", "INFO")},
    "loggers": {
        "atelier.access": {"level": "INFO" if LOG_FORMAT == "json" else "WARNING"},
        "celery": {"level": "WARNING"},
        "django.request": {"level": "ERROR", "filters": ["answers"]},
        "uvicorn": {"level": "WARNING", "handlers": [], "propagate": True},  # in this format, too
        "uvicorn.error": {"level": "WARNING", "handlers": [], "propagate": True},
    },
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
    "DASHBOARD_CALLBACK": "generator.admin.dashboard.dashboard",
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
                "title": _("Watching"),
                "items": [
                    {"title": _("Dashboard"), "icon": "monitoring", "link": reverse_lazy("admin:index")},
                    {
                        "title": _("System"),
                        "icon": "health_and_safety",
                        "link": reverse_lazy("system"),
                        "permission": lambda request: request.user.is_superuser,
                    },
                ],
            },
            {
                "title": _("People"),
                "items": [
                    _admin_page(_("People"), "person", "accounts_user"),
                    _admin_page(_("Teams"), "group", "accounts_team"),
                    _admin_page(_("Invitations"), "mail", "accounts_invitation"),
                    _admin_page(_("API keys"), "key", "accounts_apikey"),
                    _admin_page(_("Webhooks"), "webhook", "accounts_webhook"),
                    _admin_page(_("Webhook messages"), "outgoing_mail", "accounts_delivery"),
                    _admin_page(_("Usage"), "bar_chart", "accounts_usage"),
                ],
            },
            {
                "title": _("Making"),
                "items": [
                    _admin_page(_("Jobs"), "bolt", "generator_job"),
                    _admin_page(_("Models"), "deployed_code", "generator_checkpoint"),
                    _admin_page(_("LoRAs and others"), "extension", "generator_adapter"),
                    _admin_page(_("Imports of models"), "download", "generator_intake"),
                    _admin_page(_("Accepted licences"), "gavel", "generator_licenceacceptance"),
                    _admin_page(_("Model policies"), "policy", "generator_modelpolicy"),
                    _admin_page(_("Style presets"), "palette", "generator_stylepreset"),
                    _admin_page(_("Workers"), "memory", "generator_worker"),
                    _admin_page(_("Holds"), "pause_circle", "generator_hold"),
                ],
            },
            {
                "title": _("Keeping"),
                "items": [
                    _admin_page(_("Pictures"), "image", "gallery_media"),
                    _admin_page(_("Albums"), "photo_library", "gallery_album"),
                    _admin_page(_("Share links"), "link", "gallery_sharelink"),
                    _admin_page(_("Reviews"), "verified", "gallery_review"),
                    _admin_page(_("Review policies"), "policy", "gallery_reviewpolicy"),
                    _admin_page(_("Comments"), "chat", "gallery_comment"),
                    _admin_page(_("Activity"), "history", "gallery_activity"),
                    _admin_page(_("Channels"), "crop", "gallery_channel"),
                    _admin_page(_("Exports"), "archive", "gallery_export"),
                    _admin_page(_("Uploads"), "upload", "gallery_upload"),
                    _admin_page(_("Brand fonts"), "text_fields", "gallery_brandfont"),
                ],
            },
        ],
    },
}
