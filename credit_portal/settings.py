"""One settings module; what differs between machines comes from the environment.

Without DATABASE_URL the portal runs on a private PostgreSQL of its own (see
`credit_portal/embedded.py`), and secrets are generated into the data folder.
With DATABASE_URL every secret must be given.
"""

import os
from datetime import timedelta
from ipaddress import ip_network
from pathlib import Path

from django.core.exceptions import ImproperlyConfigured
from django.utils.translation import gettext_lazy as _
from environs import Env, validate

from credit_portal import embedded

BASE_DIR = Path(__file__).resolve().parent.parent

env = Env()
env.read_env(BASE_DIR / ".env", recurse=False)

VAR = Path(env.str("VAR", str(BASE_DIR / "var"))).absolute()
DATABASE_URL = env.str("DATABASE_URL", "")
REDIS_URL = env.str("REDIS_URL", "")


def secret(name):
    """A secret from the environment, or, on the private database, from the data folder."""
    given = env.str(name, "")
    if given or not DATABASE_URL:
        return given or embedded.secret(VAR, name)
    message = f"{name} must be set in the environment when DATABASE_URL is."
    raise ImproperlyConfigured(message)


DEBUG = False
SECRET_KEY = secret("SECRET_KEY")
# Sealing keys, newest first, each `id:base64 of 32 bytes`; older ones stay readable.
FIELD_KEYS = secret("FIELD_KEYS").split(",")
# The key of the backups; it must be kept apart from them. Needed by `backup` and `restore` alone.
BACKUP_KEY = env.str("BACKUP_KEY", "") or ("" if DATABASE_URL else secret("BACKUP_KEY"))
BASE_URL = env.str("BASE_URL", f"http://127.0.0.1:{os.environ.get('PORT', '8000')}").rstrip("/")
# 127.0.0.1 always: whoever watches over us asks /readyz there.
ALLOWED_HOSTS = [*env.list("ALLOWED_HOSTS", ["localhost", "[::1]"]), "127.0.0.1"]
CSRF_TRUSTED_ORIGINS = env.list("CSRF_TRUSTED_ORIGINS", [])
# Proxies whose last word in X-Forwarded-For is the visitor's address.
TRUSTED_PROXIES = env.list("TRUSTED_PROXIES", ["127.0.0.1", "::1"])
LEAD_UNIT = env.str("LEAD_UNIT", "fgw")  # code of the department that supervises the others
REGION = env.str("REGION", "220500")  # GB/T 2260 code of the city; the origin of its entries
SITE_NAME = env.str("SITE_NAME", "信用通化")
SITE_HOST = env.str("SITE_HOST", "通化市社会信用体系建设领导小组办公室")
# What the law wants in the foot of a government site: (label, number, address), numbers if given.
SITE_FILINGS = [
    (_("网站标识码："), env.str("SITE_MARK", ""), ""),
    ("", env.str("SITE_ICP", ""), "https://beian.miit.gov.cn/"),
    ("", env.str("SITE_PUBLIC_SECURITY", ""), "https://beian.mps.gov.cn/"),
]
RELEASE = "0.1.0"
# Requests a minute that an API key may make, if its own row names no other number; and all
# callers without a good key from one address.
KEY_PER_MINUTE = env.int("KEY_PER_MINUTE", 30_000, validate=validate.Range(min=1))
ADDRESS_PER_MINUTE = env.int("ADDRESS_PER_MINUTE", 600, validate=validate.Range(min=1))
# How often public pages open in a minute: to one address, and to all together. A hall or a mobile
# network is one address; the second number is what the machine is willing to bear.
LIMITS = {
    name: env.list(f"LIMIT_{name.upper()}", usual, subcast=int, validate=validate.Length(equal=2))
    for name, usual in {
        "search": [300, 6_000],
        "hints": [600, 12_000],
        "download": [20, 400],
        "track": [60, 3_000],
        "file": [60, 2_000],
        "verify": [60, 3_000],
        "report": [20, 600],
        "proof": [60, 3_000],
    }.items()
}
# Filings an hour from one address that ask for nothing; further ones need a proof of work, or
# come slowly: so many an hour from one address, and from all together.
FREE_FILINGS = env.int("FREE_FILINGS", 10, validate=validate.Range(min=0, max=1_999))
SLOW_FILINGS = [env.int("SLOW_FILINGS", 5), env.int("SLOW_FILINGS_OF_ALL", 300)]
METRICS_TOKEN = env.str("METRICS_TOKEN", "")  # who holds it may read /metrics from elsewhere

INSTALLED_APPS = [
    "portal",
    "objections",
    "repair",
    "tipoffs",
    "redlist",
    "blacklist",
    "jointaction",
    "listings",
    "notices",
    "rulebook",
    "casework",
    "parties",
    "parties.apps.BackOfficeConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.postgres",
    "django.contrib.humanize",
    "django_otp",
    "django_otp.plugins.otp_totp",
    "axes",
    "csp",
    "rest_framework",
    "rest_framework_api_key",
    "django_filters",
    "drf_spectacular",
    "drf_spectacular_sidecar",
]

MIDDLEWARE = [
    "credit_portal.request_id.request_id",
    "credit_portal.counted.counted",
    "credit_portal.visitor.visitor",
    "credit_portal.logs.requests_logged",
    "credit_portal.headers.headers",
    "casework.api.limited",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django_otp.middleware.OTPMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "axes.middleware.AxesMiddleware",
]

ROOT_URLCONF = "credit_portal.urls"
WSGI_APPLICATION = "credit_portal.wsgi.application"
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
                "portal.views.site",
            ],
        },
    }
]

DATABASES = {
    "default": env.dj_db_url("DATABASE_URL") if DATABASE_URL else embedded.database(VAR),
}
DATABASES["default"].setdefault("CONN_MAX_AGE", env.int("CONN_MAX_AGE", 60))
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

if REDIS_URL:
    CACHES = {
        "default": {"BACKEND": "django.core.cache.backends.redis.RedisCache", "LOCATION": REDIS_URL}
    }
else:
    CACHES = {
        "default": {
            "BACKEND": "django.core.cache.backends.db.DatabaseCache",
            "LOCATION": "portal_cache",
        }
    }

AUTH_USER_MODEL = "parties.User"
AUTHENTICATION_BACKENDS = [
    "axes.backends.AxesStandaloneBackend",
    "parties.desk.StaffBackend",
]
_DJANGOS = "django.contrib.auth.password_validation"
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"{_DJANGOS}.MinimumLengthValidator", "OPTIONS": {"min_length": 10}},
    {
        "NAME": f"{_DJANGOS}.UserAttributeSimilarityValidator",
        "OPTIONS": {"user_attributes": ["username", "full_name", "email"]},
    },
    {"NAME": f"{_DJANGOS}.CommonPasswordValidator"},
    {"NAME": f"{_DJANGOS}.NumericPasswordValidator"},
    {"NAME": "parties.services.passwords.NotOneOfTheLast", "OPTIONS": {"number": 5}},
]
PASSWORD_HASHERS = ["django.contrib.auth.hashers.Argon2PasswordHasher"]
LOGIN_URL = "sign-in"
LOGIN_REDIRECT_URL = "desk-home"
AXES_FAILURE_LIMIT = 5
AXES_COOLOFF_TIME = 0.5  # hours
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]
AXES_LOCKOUT_CALLABLE = "portal.views.locked_out"
AXES_RESET_ON_SUCCESS = True
AXES_RESET_COOL_OFF_ON_FAILURE_DURING_LOCKOUT = False  # the end that the page tells stands
AXES_SENSITIVE_PARAMETERS = ["username", "ip_address", "otp_token"]  # a spare code may be in it
# Tries to sign in from addresses that are new to the account, beside what axes counts: of one
# address, at one account, in all. (tries, seconds)
SIGN_IN_OF_ADDRESS = (env.int("SIGN_INS_PER_ADDRESS", 60, validate=validate.Range(min=1)), 600)
SIGN_IN_OF_ACCOUNT = (env.int("SIGN_INS_PER_ACCOUNT", 20, validate=validate.Range(min=1)), 1800)
SIGN_IN_OF_ALL = (env.int("SIGN_INS_OF_ALL", 600, validate=validate.Range(min=1)), 600)
SIGN_INS_KEPT = timedelta(days=180)
OTP_TOTP_ISSUER = SITE_NAME

LANGUAGE_CODE = "zh-hans"
LANGUAGES = [("zh-hans", _("简体中文")), ("en", "English")]
LOCALE_PATHS = [BASE_DIR / "locale"]
FORMAT_MODULE_PATH = ["credit_portal.formats"]
TIME_ZONE = "Asia/Shanghai"
USE_TZ = True

STATIC_URL = "static/"
STATIC_ROOT = VAR / "static"
STATICFILES_DIRS = [BASE_DIR / "static"]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
}
MEDIA_ROOT = VAR / "documents"  # outside the web root; only views hand documents out
FILE_UPLOAD_PERMISSIONS = 0o600
FILE_UPLOAD_HANDLERS = [
    "casework.documents.BoundedUpload",
    "django.core.files.uploadhandler.MemoryFileUploadHandler",
    "django.core.files.uploadhandler.TemporaryFileUploadHandler",
]
DATA_UPLOAD_MAX_NUMBER_FIELDS = 10_000  # a check may meet a thousand entries, fed back on one page
DATA_UPLOAD_MAX_NUMBER_FILES = 40  # a form takes twenty and says so of one more

HTTPS = BASE_URL.startswith("https:")
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = SECURE_SSL_REDIRECT = HTTPS
SESSION_COOKIE_HTTPONLY = CSRF_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = "Lax"  # links in letters and mails lead in
# A browser takes a cookie of this name from this host alone, never from a neighbour's page.
HOST_ONLY = "__Host-" if HTTPS else ""
SESSION_COOKIE_NAME, CSRF_COOKIE_NAME = f"{HOST_ONLY}sessionid", f"{HOST_ONLY}csrftoken"
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
SECURE_HSTS_SECONDS = 31_536_000 if HTTPS else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = HTTPS
SECURE_REFERRER_POLICY = SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
SECURE_CONTENT_TYPE_NOSNIFF = True
SESSION_COOKIE_AGE = 1800  # half an hour without an act signs staff out
SESSION_SAVE_EVERY_REQUEST = True
# However busy: after so long staff sign in again.
SESSION_HOURS = env.int("SESSION_HOURS", 12, validate=validate.Range(min=1, max=24))
SESSIONS_EACH = env.int("SESSIONS_EACH", 3, validate=validate.Range(min=1))
CSRF_FAILURE_VIEW = "portal.views.csrf_failure"
X_FRAME_OPTIONS = "DENY"
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": ["'none'"],
        "script-src": ["'self'"],
        "style-src": ["'self'"],
        "img-src": ["'self'", "data:"],
        "font-src": ["'self'"],
        "connect-src": ["'self'"],
        "worker-src": ["'self'"],
        "form-action": ["'self'"],
        "base-uri": ["'none'"],
        "frame-ancestors": ["'none'"],
        "upgrade-insecure-requests": HTTPS,
    }
}

vars().update(env.dj_email_url("EMAIL_URL", "consolemail://"))
DEFAULT_FROM_EMAIL = env.str("DEFAULT_FROM_EMAIL", "no-reply@localhost")

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["parties.api.ApiKeyAuthentication"],
    "DEFAULT_PERMISSION_CLASSES": ["parties.api.HasScope"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["rest_framework.parsers.JSONParser"],
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "EXCEPTION_HANDLER": "casework.api.problem",
    "UNAUTHENTICATED_USER": None,
}
SPECTACULAR_SETTINGS = {
    "TITLE": SITE_NAME,
    "VERSION": "1",
    "DESCRIPTION": _(
        "请求头 Authorization: Api-Key 加密钥。出错时返回 application/problem+json。"
        "POST 可带 Idempotency-Key，24 小时内同一请求只办一次；对一件事的写操作可带 If-Match。"
    ),
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "REDOC_DIST": "SIDECAR",
    "SERVE_INCLUDE_SCHEMA": False,
    "ENFORCE_NON_BLANK_FIELDS": True,
    "POSTPROCESSING_HOOKS": [
        "drf_spectacular.hooks.postprocess_schema_enums",
        "casework.api.openapi.add_shapes",
    ],
}

# Networks that webhooks may be sent to although they are not public, by plain http as well.
WEBHOOK_ALLOWED_NETWORKS = [ip_network(one) for one in env.list("WEBHOOK_ALLOWED_NETWORKS", [])]
# Certificate authorities (PEM) to be trusted beside the public ones, for these networks.
WEBHOOK_CA_FILE = env.str("WEBHOOK_CA_FILE", "")

CELERY_BROKER_URL = REDIS_URL or "memory://localhost"
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_SERIALIZER = "json"
CELERY_TIMEZONE = TIME_ZONE
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
# Sweeps: each asks "due and not yet done?", so how often it runs changes nothing but promptness.
SWEEPS = {
    "listings.tasks.expire_lapsed": 30,
    "listings.tasks.chase_withdrawals": 30,
    "listings.tasks.make_daily_file": 30,
    "jointaction.tasks.distribute": 10,
    "jointaction.tasks.chase_late_pushes": 30,
    "jointaction.tasks.chase_late_hits": 30,
    "jointaction.tasks.check_sheets": 10,
    "jointaction.tasks.forget_sheets": 30,
    "jointaction.tasks.announce_changes": 10,
    "jointaction.tasks.send_webhooks": 5,
    "jointaction.tasks.remove_old_webhooks": 3600,
    "redlist.tasks.review_black_listed": 20,
    "redlist.tasks.chase_reviews": 30,
    "objections.tasks.chase_due": 30,
    "casework.tasks.make_letters": 15,
    "parties.tasks.forget_sign_ins": 3600,
    "repair.tasks.chase_due": 30,
    "tipoffs.tasks.chase_due": 30,
    "tipoffs.tasks.erase": 60,
    "notices.tasks.deliver": 20,
    "casework.tasks.sweep_documents": 3600,
    "portal.tasks.take_in_files": 10,
    "portal.tasks.erase_reports": 60,
    "casework.tasks.sweep_rates": 60,
    "casework.tasks.seal_journal": 30,
    "casework.tasks.forget_old_forms": 3600,
    "portal.tasks.heartbeat": 10,
}
CELERY_BEAT_SCHEDULE = {
    # An unanswered ring is void once the next one comes: a long pause piles nothing up.
    name: {"task": name, "schedule": seconds, "options": {"expires": seconds}}
    for name, seconds in SWEEPS.items()
}

DEFAULT_EXCEPTION_REPORTER_FILTER = "credit_portal.logs.NothingTold"
LOG_FORMAT = env.str("LOG_FORMAT", "line", validate=validate.OneOf(["line", "json"]))
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "line": {"format": "%(asctime)s %(levelname)s %(name)s %(message)s"},
        "json": {"()": "credit_portal.logs.JsonLine"},
    },
    "filters": {
        "faults": {  # "not ready yet" (503) is an answer of /readyz, no fault
            "()": "django.utils.log.CallbackFilter",
            "callback": lambda record: getattr(record, "status_code", None) != 503,
        },
        "scrubbed": {"()": "credit_portal.logs.Scrubbed"},
    },
    "handlers": {
        "console": {
            "class": "logging.StreamHandler",
            "formatter": LOG_FORMAT,
            "filters": ["faults", "scrubbed"],
        }
    },
    "root": {"handlers": ["console"], "level": "WARNING"},
    "loggers": {
        "django": {"level": "INFO"},  # to the console alone, never as a mail with all of a request
        "django.request": {"level": "ERROR"},  # a 404 is the visitor's affair
        # A line for every request, for machines to read; on a terminal it would bury the rest.
        "credit_portal.requests": {"level": "INFO" if LOG_FORMAT == "json" else "WARNING"},
    },
}
SILENCED_SYSTEM_CHECKS = (
    # TLS ends at the proxy in front; on plain http (a laptop) these settings follow BASE_URL.
    [] if HTTPS else ["security.W004", "security.W008", "security.W012", "security.W016"]
)
