"""All settings of a deployment, read from the environment. `.env.example` documents each."""

from datetime import timedelta
from pathlib import Path

from django.templatetags.static import static
from django.urls import reverse_lazy
from django.utils.translation import gettext_lazy as _
from psycopg.conninfo import conninfo_to_dict

from pedsite import env, logs

BASE_DIR = Path(__file__).resolve().parent.parent
# Everything that a run writes: services' data, media, keys, logs.
DATA_DIR = env.path("DEMO_DIR", BASE_DIR / "var")

SECRET_KEY = env.text("SECRET_KEY")
SECRET_KEY_FALLBACKS = env.listing("SECRET_KEY_FALLBACKS")
DEBUG = env.flag("DEBUG", False)
ALLOWED_HOSTS = env.listing("ALLOWED_HOSTS", "127.0.0.1,localhost,[::1]")
CSRF_TRUSTED_ORIGINS = env.listing("CSRF_TRUSTED_ORIGINS")

INSTALLED_APPS = [
    "unfold",
    "unfold.contrib.filters",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "rest_framework",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "django_htmx",
    "axes",
    "pedsite",
    "pedsite.audit",
    "pedsite.accounts",
    "pedsite.idempotency",
    "pedsite.webhooks",
    "pedsite.jobs",
    "gallery",
    "training",
    "search",
]

MIDDLEWARE = [
    "pedsite.audit.middleware.ClientAddressMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "pedsite.middleware.ContentSecurityPolicyMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "pedsite.audit.middleware.AuditMiddleware",
    "pedsite.middleware.LargestBodyMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "axes.middleware.AxesMiddleware",
    "pedsite.middleware.NamelessAddressMiddleware",
    "pedsite.idempotency.middleware.IdempotencyMiddleware",
]

ROOT_URLCONF = "pedsite.urls"
WSGI_APPLICATION = "pedsite.wsgi.application"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.template.context_processors.i18n",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ]
        },
    }
]


# Database, cache and queue


def _database(url: str) -> dict:
    """Django's database entry for a libpq URL, its extra parameters as OPTIONS."""
    parts = conninfo_to_dict(url)
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": parts.pop("dbname", "pedsite"),
        "USER": parts.pop("user", ""),
        "PASSWORD": parts.pop("password", ""),
        "HOST": parts.pop("host", ""),
        "PORT": str(parts.pop("port", "")),
        "OPTIONS": parts,
        "CONN_MAX_AGE": 60,
        "CONN_HEALTH_CHECKS": True,
    }


DATABASES = {"default": _database(env.text("DATABASE_URL"))}
REDIS_URL = env.text("REDIS_URL")
CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.redis.RedisCache",
        "LOCATION": REDIS_URL,
        "KEY_PREFIX": "pedsite",
    }
}

# Kombu spells a unix socket differently from redis-py.
CELERY_BROKER_URL = REDIS_URL.replace("unix://", "redis+socket://", 1)
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_DEFAULT_QUEUE = "default"
CELERY_TASK_ROUTES = {
    "search.enroll*": {"queue": "enroll"},
    "training.*": {"queue": "training"},
}
CELERY_TASK_CREATE_MISSING_QUEUES = True
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
# The Job row, not the message, is the truth: a worker takes one message at a time, and the
# watchdog sends again what was lost with a worker.
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_TIMEZONE = "UTC"
CELERY_BEAT_SCHEDULE = {
    "jobs-watchdog": {
        "task": "jobs.watchdog",
        "schedule": timedelta(seconds=15),
        "options": {"expires": 15},
    },
    "audit-link": {
        "task": "audit.link",
        "schedule": timedelta(seconds=5),
        "options": {"expires": 5},
    },
}


# Users

AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = [
    "axes.backends.AxesStandaloneBackend",
    "django.contrib.auth.backends.ModelBackend",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in (
        "UserAttributeSimilarityValidator",
        "CommonPasswordValidator",
        "NumericPasswordValidator",
    )
] + [
    {
        "NAME": "django.contrib.auth.password_validation.MinimumLengthValidator",
        "OPTIONS": {"min_length": 12},
    }
]
LOGIN_URL = "login"
LOGIN_REDIRECT_URL = "/"
LOGOUT_REDIRECT_URL = "login"
AXES_FAILURE_LIMIT = env.integer("LOGIN_FAILURE_LIMIT", 10, least=1)
# API keys that do not exist, from one address in a quarter of an hour, before none is looked at.
KEY_FAILURE_LIMIT = env.integer("KEY_FAILURE_LIMIT", 20, least=1)
AXES_COOLOFF_TIME = timedelta(minutes=15)
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]
AXES_RESET_ON_SUCCESS = True
AXES_ENABLE_ADMIN = False
AXES_LOCKOUT_TEMPLATE = "registration/locked.html"
AXES_VERBOSE = False
AXES_LOCKOUT_TEMPLATE = "registration/locked.html"


# Transport

HTTPS = env.flag("HTTPS", False)
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = SECURE_SSL_REDIRECT = HTTPS
SECURE_HSTS_SECONDS = 31536000 if HTTPS else 0
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if HTTPS else None
SESSION_COOKIE_HTTPONLY = True
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
# Proxies in front, each of which adds the address that it saw to X-Forwarded-For.
PEDSITE_PROXIES = env.integer("PEDSITE_PROXIES", 0, least=0)
DATA_UPLOAD_MAX_MEMORY_SIZE = 5 * 1024 * 1024
# A dropped picture may be larger than any form field.
MAX_PICTURE_BYTES = env.integer("MAX_PICTURE_MB", 25, least=1) * 1024 * 1024


# Files

MEDIA_ROOT = env.path("MEDIA_ROOT", DATA_DIR / "media")
MEDIA_URL = "/media-is-never-served-from-here/"
STATIC_URL = "/static/"
# Only for those who run collectstatic; WhiteNoise serves from the packages themselves.
STATIC_ROOT = env.text("STATIC_ROOT", "") or None
WHITENOISE_USE_FINDERS = True
WHITENOISE_AUTOREFRESH = DEBUG


S3_STYLES = ("path", "virtual", "auto")


def _media_storage() -> dict:
    """Local files, or an S3-compatible bucket where several hosts share the pictures."""
    bucket = env.text("S3_BUCKET", "")
    if not bucket:
        return {"BACKEND": "django.core.files.storage.FileSystemStorage"}
    options = {"bucket_name": bucket, "file_overwrite": False, "default_acl": None}
    endpoint = env.text("S3_ENDPOINT_URL", "")
    region = env.text("S3_REGION", "")
    options |= {"endpoint_url": endpoint} if endpoint else {}
    options |= {"region_name": region} if region else {}
    # Stores other than Amazon's seldom have a host name for each bucket, and do not all know the
    # checksums that Amazon's library sends unasked.
    style = env.text("S3_ADDRESSING_STYLE", "path" if endpoint else "auto", choices=S3_STYLES)
    checked = "when_required" if endpoint else "when_supported"
    # Loaded by those alone who have a bucket.
    from botocore.config import Config

    options["client_config"] = Config(
        s3={"addressing_style": style},
        request_checksum_calculation=checked,
        response_checksum_validation=checked,
        connect_timeout=5,
        read_timeout=30,
        retries={"mode": "standard", "total_max_attempts": 4},
        # As many as threads of an enrollment or a web process may read at once.
        max_pool_connections=32,
    )
    return {"BACKEND": "storages.backends.s3.S3Storage", "OPTIONS": options}


STORAGES = {
    "default": _media_storage(),
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}


# Language and time

LANGUAGE_CODE = "en"
LANGUAGES = [("en", "English"), ("zh-hans", "简体中文")]
LOCALE_PATHS = [BASE_DIR / "pedsite" / "locale"]
TIME_ZONE = env.text("TIME_ZONE", "UTC")
USE_TZ = True


# API

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "pedsite.accounts.authentication.ApiKeyAuthentication",
        "rest_framework.authentication.SessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_CONTENT_NEGOTIATION_CLASS": "pedsite.negotiation.Negotiation",
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": [
        "pedsite.parsers.JsonParser",
        "rest_framework.parsers.MultiPartParser",
    ],
    "DEFAULT_PAGINATION_CLASS": "pedsite.api.Pages",
    "DEFAULT_SCHEMA_CLASS": "pedsite.schema.AutoSchema",
    "DEFAULT_THROTTLE_CLASSES": [
        "rest_framework.throttling.AnonRateThrottle",
        "pedsite.throttles.KeyRateThrottle",
        "pedsite.throttles.ScopedKeyRateThrottle",
    ],
    "DEFAULT_THROTTLE_RATES": {
        "anon": env.text("THROTTLE_ANONYMOUS", "60/minute"),
        "user": env.text("THROTTLE_USER", "1200/minute"),
        "search": env.text("THROTTLE_SEARCH", "300/minute"),
    },
    "EXCEPTION_HANDLER": "pedsite.api.handle_exception",
}
CELERY_BEAT_SCHEDULE["idempotency-expire"] = {
    "task": "idempotency.expire",
    "schedule": timedelta(hours=1),
    "options": {"expires": 3600},
}
SPECTACULAR_SETTINGS = {
    "TITLE": "pedsite",
    "DESCRIPTION": "Find a person in a gallery by words, by a picture, or by another box.",
    "VERSION": "1",
    "OAS_VERSION": "3.1.1",
    "SERVE_INCLUDE_SCHEMA": False,
    "POSTPROCESSING_HOOKS": [
        "drf_spectacular.hooks.postprocess_schema_enums",
        "pedsite.schema.complete",
    ],
    # Operations are grouped by the word after it.
    "SCHEMA_PATH_PREFIX": "/api/v[0-9]+/",
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "COMPONENT_SPLIT_REQUEST": True,
    # A search asks for fewer states of review than there are.
    "ENUM_NAME_OVERRIDES": {
        "AdjudicationVerdictEnum": "search.review.models.Adjudication.Verdict",
        "VerdictEnum": "search.review.models.Verdict",
        "Review": "gallery.models.Review",
        "BoxSource": "gallery.models.Box.Source",
        "CaptionSource": "gallery.models.Caption.Source",
        "CaptionLanguage": "gallery.models.Caption.Language",
        "AskedLanguage": ["en", "zh"],
        "AskedReview": ["approved", "unreviewed"],
        "CaseState": "search.cases.models.Case.State",
    },
}


# Admin

UNFOLD = {
    "SITE_TITLE": "pedsite",
    "SITE_HEADER": "pedsite",
    "SITE_URL": "/",
    "SITE_SYMBOL": "person_search",
    "SHOW_HISTORY": True,
    "COMMAND": {"search_models": True},
    "SITE_DROPDOWN": [
        {"icon": "search", "title": _("Search"), "link": "/"},
        {"icon": "api", "title": _("API"), "link": reverse_lazy("api-docs")},
    ],
    "SITE_FAVICONS": [
        {
            "rel": "icon",
            "type": "image/svg+xml",
            "href": lambda request: static("pedsite/mark.svg"),
        }
    ],
    # The accent of the other pages, from pale to deep.
    "COLORS": {
        "primary": {
            "50": "oklch(97.5% .012 205)",
            "100": "oklch(94.5% .025 205)",
            "200": "oklch(89% .05 205)",
            "300": "oklch(81% .085 205)",
            "400": "oklch(72% .1 205)",
            "500": "oklch(58% .09 205)",
            "600": "oklch(47.5% .078 207)",
            "700": "oklch(41% .067 208)",
            "800": "oklch(35% .057 209)",
            "900": "oklch(30% .048 210)",
            "950": "oklch(22% .036 211)",
        }
    },
}


# Imports

# Folders of this machine that may be imported from; no other path of it can be named.
PEDSITE_IMPORT_ROOTS = env.listing("PEDSITE_IMPORT_ROOTS")
# The largest file that may be uploaded, and all that one user may have waiting at a time.
PEDSITE_UPLOAD_BYTES = env.integer("PEDSITE_UPLOAD_MB", 10_240, least=1) * 1024 * 1024
PEDSITE_UPLOAD_USER_BYTES = env.integer("PEDSITE_UPLOAD_USER_MB", 20_480, least=1) * 1024 * 1024
# Without JavaScript a file comes in one request; larger ones need the pieces that a script sends.
PEDSITE_UPLOAD_FORM_BYTES = env.integer("PEDSITE_UPLOAD_FORM_MB", 512, least=1) * 1024 * 1024
# What an archive may unpack to.
PEDSITE_UNPACKED_BYTES = env.integer("PEDSITE_UNPACKED_MB", 40_960, least=1) * 1024 * 1024
PEDSITE_UNPACKED_FILES = env.integer("PEDSITE_UNPACKED_FILES", 1_000_000, least=1)
# Days after which an upload that nobody uses is removed.
PEDSITE_UPLOAD_DAYS = env.integer("PEDSITE_UPLOAD_DAYS", 7, least=1)
CELERY_BEAT_SCHEDULE["gallery-expire-uploads"] = {
    "task": "gallery.expire_uploads",
    "schedule": timedelta(hours=1),
    "options": {"expires": 3600},
}


# The models

# What finds people in pictures: "hog", the path of an ONNX file, or of a transformers folder.
PEDSITE_DETECTOR = env.text("PEDSITE_DETECTOR", "hog")
# Copies of stored files, which can be made again, and unfinished trainings of this machine.
PEDSITE_WORK_DIR = env.path("PEDSITE_WORK_DIR", DATA_DIR / "work")
# Which code this is, where it was installed without its history; trainings keep it.
PEDSITE_REVISION = env.text("PEDSITE_REVISION", "")
# Threads of one onnxruntime session; two web workers on two cores are best with one each.
PEDSITE_INFERENCE_THREADS = env.integer("PEDSITE_INFERENCE_THREADS", 1, least=1)
# Threads of one enrollment, each decoding and encoding; 0 means one a core.
PEDSITE_ENROLL_THREADS = env.integer("PEDSITE_ENROLL_THREADS", 0)
# Searches among at most so many boxes compare all of them; beyond, a vector index is built.
PEDSITE_EXACT_ROWS = env.integer("PEDSITE_EXACT_ROWS", 20_000)
# Where the nearest vectors are looked for: "pgvector", or "milvus", a server or cluster at
# MILVUS_URI that is filled from the database. The database holds the vectors in both cases.
PEDSITE_ENGINE = env.text("PEDSITE_ENGINE", "pgvector", choices=("pgvector", "milvus"))
MILVUS_URI = env.text("MILVUS_URI", "")
MILVUS_TOKEN = env.text("MILVUS_TOKEN", "")
MILVUS_DATABASE = env.text("MILVUS_DATABASE", "")
# The kind of index of collections that are made from now on.
MILVUS_INDEX = env.text("MILVUS_INDEX", "HNSW", choices=("HNSW", "HNSW_SQ", "IVF_SQ8", "DISKANN"))
if MILVUS_URI:
    CELERY_BEAT_SCHEDULE["search-mirror"] = {
        "task": "search.mirror",
        "schedule": timedelta(seconds=5),
        "options": {"expires": 5},
    }
CELERY_BEAT_SCHEDULE["search-retain"] = {
    "task": "search.retain",
    "schedule": timedelta(hours=24),
    "options": {"expires": 3600},
}
# Searches at the same time over all web processes (0: two a core), and those that may wait for a
# place (-1: as many again). Set the first where web processes have more cores than this machine.
# Whoever sends it as a bearer may read /metrics; without one only administrators may.
METRICS_TOKEN = env.text("METRICS_TOKEN", "")
PEDSITE_SEARCHES = env.integer("PEDSITE_SEARCHES", 0)
PEDSITE_SEARCHES_WAITING = env.integer("PEDSITE_SEARCHES_WAITING", -1, least=-1)
# Whether a search has to say why it is made: "off" asks nobody, "optional" offers a field,
# "required" refuses a search without a reason or a case number.
PEDSITE_PURPOSE = env.text("PEDSITE_PURPOSE", "off", choices=("off", "optional", "required"))
# Memory in which a vector index is built; one that does not fit is built many times slower.
PEDSITE_BUILD_MEMORY_MB = env.integer("PEDSITE_BUILD_MEMORY_MB", 1024, least=16)


# Webhooks

# Where messages about jobs and saved searches may go: "public" for the internet, and networks of
# your own. Where nothing is named, nothing is sent.
PEDSITE_WEBHOOK_ALLOW = env.networks("PEDSITE_WEBHOOK_ALLOW")
CELERY_BEAT_SCHEDULE["webhooks-sweep"] = {
    "task": "webhooks.sweep",
    "schedule": timedelta(seconds=15),
    "options": {"expires": 15},
}
# An enrollment asks for it at its end; this is for those whose worker died just then.
CELERY_BEAT_SCHEDULE["search-tell-matches"] = {
    "task": "search.tell_matches",
    "schedule": timedelta(hours=1),
    "options": {"expires": 3600},
}


# Logs

LOG_FORMAT = env.text("LOG_FORMAT", "text", choices=("text", "json"))
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "text": {"format": "%(asctime)s %(levelname)-7s %(name)s %(message)s"},
        "json": {"()": "pedsite.logs.JsonFormatter"},
    },
    "filters": {
        "refusals": {
            "()": "django.utils.log.CallbackFilter",
            "callback": logs.without_refusals_traceback,
        }
    },
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": LOG_FORMAT}},
    "root": {"handlers": ["stderr"], "level": env.text("LOG_LEVEL", "INFO").upper()},
    "loggers": {
        "axes": {"level": "WARNING"},
        # They tell each rewriting of a graph.
        "onnxscript": {"level": "WARNING"},
        "onnx_ir": {"level": "WARNING"},
        # It tells which builds of itself it tries.
        "faiss": {"level": "WARNING"},
        "django.request": {"filters": ["refusals"]},
        "django.server": {"handlers": ["stderr"], "propagate": False},
    },
}
