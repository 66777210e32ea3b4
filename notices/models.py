"""Telling people: a notice is a row in the caller's transaction, sent later by a sweep."""

from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from parties.models import Department


class NoticeQuerySet(models.QuerySet):
    def inbox(self, user):
        """What the user's department has been told, newest first."""
        return self.filter(department=user.department_id).order_by("-id")

    def to_applicant(self, number):
        """What the applicant of the matter with this number was told, oldest first."""
        return self.filter(matter=number).exclude(matter="").order_by("id")

    def unsent(self, now):
        return self.exclude(email="").filter(sent_at=None, next_try_at__lte=now)


class Notice(models.Model):
    """One message: to a department's inbox, or to the applicant of a matter.

    The applicant reads it on the tracking page, and by e-mail where an address was given.
    """

    id = models.BigAutoField(primary_key=True)
    department = models.ForeignKey(
        Department, models.PROTECT, null=True, blank=True, verbose_name=_("单位")
    )
    matter = models.CharField(_("受理编号"), max_length=20, blank=True)
    email = models.EmailField(_("电子邮件"), blank=True)
    title = models.CharField(_("标题"), max_length=200)
    text = models.TextField(_("内容"))
    link = models.CharField(_("链接"), max_length=200, blank=True)
    key = models.CharField(max_length=120, unique=True)
    created_at = models.DateTimeField(_("时间"), default=timezone.now)
    read_at = models.DateTimeField(_("已读"), null=True, blank=True)
    sent_at = models.DateTimeField(_("已发"), null=True, blank=True)
    next_try_at = models.DateTimeField(default=timezone.now)
    tries = models.PositiveSmallIntegerField(default=0)

    objects = NoticeQuerySet.as_manager()

    class Meta:
        verbose_name = verbose_name_plural = _("通知")
        indexes = [
            # for the sweep: the few still to be sent
            models.Index(
                fields=["next_try_at"],
                name="notice_unsent",
                condition=Q(sent_at=None) & ~Q(email=""),
            ),
            # for the tracking page of a matter
            models.Index(fields=["matter", "id"], name="notice_matter", condition=~Q(matter="")),
            # for the inbox of a department
            models.Index(fields=["department", "-id"], name="notice_inbox"),
        ]

    def __str__(self):
        return self.title
