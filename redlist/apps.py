from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class RedlistConfig(AppConfig):
    name = "redlist"
    verbose_name = _("红名单")
