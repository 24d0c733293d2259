"""Every address of the site: pages of each app, the API under /api/v1/, admin, health."""

from importlib import import_module

from django.contrib import admin
from django.contrib.auth import views as auth
from django.urls import include, path, re_path
from django.views.generic import RedirectView
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerView
from rest_framework.permissions import AllowAny

from pedsite import health
from pedsite.api import unknown_address

APPS = [
    "search",
    "training",
    "gallery",
    "pedsite.jobs",
    "pedsite.webhooks",
    "pedsite.accounts",
    "pedsite.audit",
]


api = [pattern for app in APPS for pattern in import_module(f"{app}.urls").api_urlpatterns]

urlpatterns = [
    path("", RedirectView.as_view(pattern_name="search:search", query_string=True), name="home"),
    *(path("", include(f"{app}.urls")) for app in APPS),
    path("login/", auth.LoginView.as_view(redirect_authenticated_user=True), name="login"),
    path("logout/", auth.LogoutView.as_view(), name="logout"),
    path("i18n/", include("django.conf.urls.i18n")),
    path("admin/", admin.site.urls),
    path("api/v1/", include((api, "api"))),
    path(
        "api/schema/",
        SpectacularAPIView.as_view(permission_classes=[AllowAny], authentication_classes=[]),
        name="api-schema",
    ),
    path(
        "api/docs/",
        SpectacularSwaggerView.as_view(
            url_name="api-schema", permission_classes=[AllowAny], authentication_classes=[]
        ),
        name="api-docs",
    ),
    re_path(r"^api/v", unknown_address),
    path("health/live", health.live, name="health-live"),
    path("health/ready", health.ready, name="health-ready"),
    path("metrics", health.metrics, name="metrics"),
]
