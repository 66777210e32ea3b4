"""What staff typed into a form and have not handed in yet."""

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from parties.models import User


class KeptForm(models.Model):
    """A form as its user left it: nothing that counts, and seen by nobody else.

    `form` and `about` say which page it is of, `values` are its fields by name, each a list of
    texts; the number of a person's paper is never among them. `stamp` rises with each keeping,
    so that of two windows one is told of the other; `basis` is the version of the matter that
    the page showed.
    """

    id = models.BigAutoField(primary_key=True)
    user = models.ForeignKey(User, models.PROTECT, related_name="+", verbose_name=_("用户"))
    form = models.CharField(_("表单"), max_length=40)
    about = models.CharField(_("关于"), max_length=64)
    values = models.JSONField(_("内容"), default=dict)
    basis = models.PositiveIntegerField(_("依据的版本"), null=True, blank=True)
    stamp = models.PositiveIntegerField(_("存过几次"), default=1)
    saved_at = models.DateTimeField(_("时间"), default=timezone.now)

    class Meta:
        verbose_name = verbose_name_plural = _("没有填完的表单")
        constraints = [
            models.UniqueConstraint(fields=["user", "form", "about"], name="keptform_once")
        ]
        # for the sweep that forgets
        indexes = [models.Index(fields=["saved_at"], name="keptform_age")]

    def __str__(self):
        return f"{self.form} {self.about}"
