"""Every address of the portal, put together from the lists that the apps' urls export.

An app's `urls.py` may have `public` (pages for anyone, also under /en/), `desk`
(staff pages under /desk/) and `api` (under /api/v1/), each a list of path()s
with names that are unique in the whole portal.
"""

from importlib import import_module
from pathlib import Path

from django.apps import apps
from django.conf import settings
from django.conf.urls.i18n import i18n_patterns
from django.contrib import admin
from django.urls import include, path
from django.utils.module_loading import module_has_submodule
from drf_spectacular.views import SpectacularSwaggerSplitView

from casework.api.schema import Schema
from portal import views


def collected(door):
    """The patterns that the portal's own apps export for `door`, in the order of INSTALLED_APPS."""
    ours = (app for app in apps.get_app_configs() if Path(app.path).parent == settings.BASE_DIR)
    return [
        pattern
        for app in ours
        if module_has_submodule(app.module, "urls")
        for pattern in getattr(import_module(f"{app.name}.urls"), door, [])
    ]


urlpatterns = [
    path("healthz", views.healthz, name="healthz"),
    path("readyz", views.readyz, name="readyz"),
    path("metrics", views.metrics, name="metrics"),
    path("favicon.ico", views.favicon, name="favicon"),
    path("admin/", admin.site.urls),
    path("desk/", include(collected("desk"))),
    path("api/v1/", include(collected("api"))),
    path("api/v1/schema/", Schema.as_view(), name="api-schema"),
    path(
        "api/v1/docs/",
        SpectacularSwaggerSplitView.as_view(
            url_name="api-schema", authentication_classes=[], permission_classes=[]
        ),
        name="api-docs",
    ),
    *i18n_patterns(*collected("public"), prefix_default_language=False),
]

handler400 = "portal.views.bad_request"
handler403 = "portal.views.forbidden"
handler404 = "portal.views.not_found"
handler500 = "portal.views.server_error"
