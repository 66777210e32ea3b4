from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class JointactionConfig(AppConfig):
    name = "jointaction"
    verbose_name = _("联合奖惩")
