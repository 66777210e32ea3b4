from django.apps import AppConfig
from django.contrib.admin import apps as admin
from django.utils.translation import gettext_lazy as _


class PartiesConfig(AppConfig):
    name = "parties"
    verbose_name = _("主体与用户")


class BackOfficeConfig(admin.AdminConfig):
    """The stock admin, entered through the desk's sign-in."""

    default = False  # it is not what "parties" means among the installed apps
    default_site = "parties.desk.BackOffice"
